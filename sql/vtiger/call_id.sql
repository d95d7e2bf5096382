-- A new record id, as vTiger itself takes one. Run by itself, outside of any transaction: a gap in the ids is harmless, a lock
-- that is held on the sequence stops every save in the CRM.
UPDATE vtiger_crmentity_seq SET id = LAST_INSERT_ID(id + 1);
SELECT LAST_INSERT_ID() AS id;
