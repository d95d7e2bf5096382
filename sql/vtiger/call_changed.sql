-- The whole state of a call. The owner is a live user or group, never 0: the operator who answered or was rung first, else the
-- record's owner, else the first live user; it is set until the call has ended, so that a later note does not take the row
-- from whom the CRM gave it to. Customer: a live record only; what somebody linked by hand stays when we know of none.
-- A call that was merged into an older one goes to the recycle bin.
-- Texts go through variables: MySQL would otherwise convert the parameter itself, and refuse what does not fit.
SET @cti_module = :module, @cti_caller = :caller_number, @cti_dialed = :dialed_number, @cti_recording = :recording, @cti_call = :id;
SET @cti_uuid = CONVERT(RIGHT(@cti_call, 100) USING utf8mb3);
SET @cti_operator = (SELECT id FROM vtiger_users WHERE id = :owner_id AND status = 'Active' AND deleted = 0);
SET @cti_customer = (SELECT crmid FROM vtiger_crmentity WHERE crmid = :record_id AND deleted = 0
                        AND setype = COALESCE(CONVERT(@cti_module USING utf8mb3), setype));
SET @cti_type = (SELECT setype FROM vtiger_crmentity WHERE crmid = @cti_customer);
SET @cti_record_owner = (SELECT COALESCE(u.id, g.groupid) FROM vtiger_crmentity r
      LEFT JOIN vtiger_users u ON u.id = r.smownerid AND u.status = 'Active' AND u.deleted = 0
      LEFT JOIN vtiger_groups g ON g.groupid = r.smownerid
     WHERE r.crmid = @cti_customer);
SET @cti_owner = COALESCE(@cti_operator, @cti_record_owner,
                          (SELECT MIN(id) FROM vtiger_users WHERE status = 'Active' AND deleted = 0));
SET @cti_number = LEFT(CONVERT(COALESCE(IF(:direction = 'inbound', @cti_caller, @cti_dialed), 'anonymous') USING utf8mb3), 100);
UPDATE vtiger_crmentity e JOIN vtiger_pbxmanager p ON p.pbxmanagerid = e.crmid
   SET e.smownerid = IF(p.endtime IS NULL, @cti_owner, e.smownerid), e.modifiedby = COALESCE(@cti_operator, e.modifiedby),
       e.modifiedtime = UTC_TIMESTAMP(), e.label = @cti_number, e.deleted = IF(:merged_into IS NULL, e.deleted, 1)
 WHERE e.crmid = :crm_id AND e.setype = 'PBXManager' AND p.sourceuuid = @cti_uuid;
UPDATE vtiger_pbxmanager
   SET direction = IF(:direction = 'inbound', 'inbound', 'outbound'),
       callstatus = CASE WHEN :disposition IS NULL THEN IF(:answered IS NULL, 'ringing', 'in-progress')
                         WHEN :disposition = 'answered' THEN 'completed'
                         WHEN :disposition = 'busy' THEN 'busy'
                         WHEN :disposition = 'failed' THEN 'failed'
                         WHEN :disposition = 'lost' THEN IF(:answered IS NULL, 'no-response', 'completed')
                         ELSE 'no-answer' END,
       starttime = LEFT(:started, 19), endtime = LEFT(:ended, 19),
       totalduration = COALESCE(:total_ms, 0) DIV 1000, billduration = COALESCE(:billed_ms, 0) DIV 1000,
       recordingurl = IF(CHAR_LENGTH(@cti_recording) <= 200, CONVERT(@cti_recording USING utf8mb3), recordingurl),
       customer = COALESCE(@cti_customer, customer), customertype = COALESCE(@cti_type, customertype),
       user = IF(:direction = 'inbound' AND :answered_by IS NULL, user, COALESCE(@cti_operator, user)),
       customernumber = @cti_number
 WHERE pbxmanagerid = :crm_id AND sourceuuid = @cti_uuid;
