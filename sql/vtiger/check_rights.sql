-- For the doctor: what the call log will write, only explained. The server checks the rights and changes nothing.
EXPLAIN UPDATE vtiger_crmentity_seq SET id = id + 1;
EXPLAIN UPDATE vtiger_crmentity SET deleted = deleted WHERE crmid = 0;
EXPLAIN UPDATE vtiger_pbxmanager SET callstatus = callstatus WHERE pbxmanagerid = 0;
EXPLAIN INSERT INTO vtiger_crmentity (crmid) VALUES (0);
EXPLAIN INSERT INTO vtiger_pbxmanager (pbxmanagerid) VALUES (0);
EXPLAIN INSERT INTO vtiger_pbxmanagercf (pbxmanagerid) VALUES (0);
