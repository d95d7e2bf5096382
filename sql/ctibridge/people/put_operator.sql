INSERT INTO operator (jid, crm_user, pbx, extension, name, active) VALUES (:jid, :crm_user, :pbx, :extension, :name, :active);
