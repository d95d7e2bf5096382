-- Every telephone field (uitype 11) that the administrator left switched on, fields of one's own too. Calls and users are no callers.
SELECT t.name AS `module`, f.tablename AS `table`, f.columnname AS `column`, MIN(k.column_name) AS `key`
  FROM vtiger_field f
  JOIN vtiger_tab t ON t.tabid = f.tabid
  LEFT JOIN information_schema.columns k
         ON k.table_schema = DATABASE() AND k.table_name = f.tablename AND k.column_key = 'PRI'
 WHERE f.uitype = 11 AND f.presence IN (0, 2) AND t.presence IN (0, 2)
   AND t.name NOT IN ('Users', 'PBXManager', 'Calendar', 'Events')
 GROUP BY t.name, f.tablename, f.columnname
 ORDER BY t.name, f.tablename, f.columnname;
