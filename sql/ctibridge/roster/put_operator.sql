INSERT INTO cti_operator (jid, crm_user, pbx, extension, name, role, active)
VALUES (:jid, :crm_user, :pbx, :extension, :name, :role, :active);
