-- Users of the CRM. `user_name` and `email` may be used in the pattern of JIDs (crm.jid).
SELECT u.id AS crm_user, u.user_name, u.email1 AS email, TRIM(CONCAT_WS(' ', u.first_name, u.last_name)) AS name,
       COALESCE(TRIM(u.phone_crm_extension), '') AS extension, u.status = 'Active' AS active
  FROM vtiger_users u
 WHERE u.deleted = 0
 ORDER BY u.id;
