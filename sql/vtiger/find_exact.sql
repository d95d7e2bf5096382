-- Candidates for a number that the index does not know (yet): by the key of vTiger's own lookup table, whose rows may be stale,
-- so each candidate is looked at again. Forms that a number does not have are NULL.
SELECT DISTINCT crmid AS id
  FROM vtiger_pbxmanager_phonelookup
 WHERE fnumber IN (:digits, :international, :national, :trunk, :international_trunk)
 LIMIT 50;
