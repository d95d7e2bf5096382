-- Where the change feed stands now. The columns come back to changes.sql as parameters of the same names.
SELECT (SELECT COALESCE(MAX(id), 0) FROM vtiger_modtracker_basic) AS modtracker,
       (SELECT COALESCE(MAX(crmid), 0) FROM vtiger_crmentity) AS newest,
       DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%d %H:%i:%s') AS moment;
