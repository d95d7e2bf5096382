SELECT jid, crm_user, pbx, extension, name, active FROM operator ORDER BY rowid;
