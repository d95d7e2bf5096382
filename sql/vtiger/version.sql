-- The CRM's version, for the doctor.
SELECT current_version AS version FROM vtiger_version ORDER BY id DESC LIMIT 1;
