-- All live records, page by page; the same columns as record.sql.
SELECT c.crmid AS id, c.setype AS module,
       COALESCE(NULLIF(TRIM(c.label), ''), NULLIF(TRIM(CONCAT_WS(' ', d.firstname, d.lastname)), ''), NULLIF(TRIM(a.accountname), ''),
                NULLIF(TRIM(CONCAT_WS(' ', l.firstname, l.lastname)), ''), '') AS label,
       COALESCE(o.accountname, l.company, '') AS organization,
       COALESCE(u.user_name, g.groupname, '') AS owner,
       CASE WHEN u.deleted = 0 AND u.status = 'Active' THEN u.id END AS owner_user,
       c.smownerid AS owner_id,
       CAST(UNIX_TIMESTAMP(c.modifiedtime) AS SIGNED) * 1000 AS modified
  FROM vtiger_crmentity c
  LEFT JOIN vtiger_contactdetails d ON d.contactid = c.crmid
  LEFT JOIN vtiger_crmentity oc ON oc.crmid = d.accountid AND oc.deleted = 0
  LEFT JOIN vtiger_account o ON o.accountid = oc.crmid
  LEFT JOIN vtiger_account a ON a.accountid = c.crmid
  LEFT JOIN vtiger_leaddetails l ON l.leadid = c.crmid
  LEFT JOIN vtiger_users u ON u.id = c.smownerid
  LEFT JOIN vtiger_groups g ON g.groupid = c.smownerid
 WHERE c.crmid > :after AND c.deleted = 0 AND COALESCE(l.converted, 0) = 0
   AND c.setype NOT IN ('Users', 'PBXManager', 'ModComments', 'Calendar', 'Events', 'Emails', 'Documents')
 ORDER BY c.crmid
 LIMIT :count;
