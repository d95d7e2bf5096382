SELECT jid, crm_user, pbx, extension, name, role, active FROM cti_operator ORDER BY jid;
