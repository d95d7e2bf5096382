-- Operators that an administrator entered; what is empty here comes from the CRM.
SELECT jid, crm_user, pbx, extension FROM cti_operator ORDER BY jid;
