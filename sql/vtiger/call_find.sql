-- The row that a call has already, when our ledger knows of none (our database was lost, or lives elsewhere). No row: none.
SET @cti_call = :id;
SELECT pbxmanagerid AS id FROM vtiger_pbxmanager WHERE sourceuuid = CONVERT(RIGHT(@cti_call, 100) USING utf8mb3) ORDER BY pbxmanagerid LIMIT 1;
