INSERT INTO cti_operator_device (jid, device, place) VALUES (:jid, :device, :place);
