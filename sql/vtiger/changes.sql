-- What vTiger's own history says (fast: by its key).
SELECT crmid AS id, CONCAT('h', MAX(id)) AS stamp
  FROM vtiger_modtracker_basic WHERE id > :modtracker AND module NOT IN ('PBXManager', 'ModComments', 'Calendar', 'Events')
 GROUP BY crmid LIMIT :count;
-- Records made by others' SQL, without history (fast: by the key).
SELECT crmid AS id, 'new' AS stamp
  FROM vtiger_crmentity WHERE crmid > :newest AND setype NOT IN ('PBXManager', 'ModComments', 'Calendar', 'Events', 'Emails', 'Documents')
 LIMIT :count;
-- Records changed by others' SQL. This column has no index: the statement is run less often where it takes long.
SELECT crmid AS id, CONCAT('m', modifiedtime, '-', deleted) AS stamp
  FROM vtiger_crmentity WHERE modifiedtime >= :moment AND setype NOT IN ('PBXManager', 'ModComments', 'Calendar', 'Events', 'Emails', 'Documents')
 LIMIT :count;
