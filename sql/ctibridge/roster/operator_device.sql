SELECT jid, device FROM cti_operator_device ORDER BY jid, place, device;
