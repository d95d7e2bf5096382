DELETE FROM cti_operator_device WHERE jid = :key;
DELETE FROM cti_operator WHERE jid = :key;
