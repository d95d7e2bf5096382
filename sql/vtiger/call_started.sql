-- The rows of a call, unless they are there; call_changed fills them, in the same transaction. An id that another record has
-- (a CRM put back from a copy gives ids again) is a duplicate key: the caller takes the next id.
-- vTiger's tables hold three-byte UTF-8 only: what does not fit becomes `?`, as when vTiger stores it. Texts go through
-- variables: MySQL would otherwise convert the parameter itself, and refuse what does not fit.
SET @cti_call = :id;
SET @cti_uuid = CONVERT(RIGHT(@cti_call, 100) USING utf8mb3);
SET @cti_new = (SELECT COUNT(*) = 0 FROM vtiger_pbxmanager WHERE pbxmanagerid = :crm_id AND sourceuuid = @cti_uuid);
SET @cti_user = COALESCE((SELECT id FROM vtiger_users WHERE id = :owner_id AND status = 'Active' AND deleted = 0),
                         (SELECT MIN(id) FROM vtiger_users WHERE status = 'Active' AND deleted = 0));
INSERT INTO vtiger_crmentity (crmid, smcreatorid, smownerid, modifiedby, setype, createdtime, modifiedtime, source, smgroupid, label)
SELECT :crm_id, @cti_user, @cti_user, @cti_user, 'PBXManager', LEFT(:started, 19), UTC_TIMESTAMP(), 'CTIBRIDGE', 0, ''
  FROM (SELECT 1 AS one) o WHERE @cti_new;
INSERT INTO vtiger_pbxmanager (pbxmanagerid, starttime, totalduration, billduration, sourceuuid, gateway)
SELECT :crm_id, LEFT(:started, 19), 0, 0, @cti_uuid, 'PBXManager' FROM (SELECT 1 AS one) o WHERE @cti_new;
INSERT INTO vtiger_pbxmanagercf (pbxmanagerid) SELECT :crm_id FROM (SELECT 1 AS one) o WHERE @cti_new;
