-- The note of a call as a comment of the customer's record, when that is live; :note_id is its record id, the same each time.
-- The comment's description (shown nowhere) names the call, so that no other comment is taken for it; an id that another record
-- has is a duplicate key: the caller takes the next id.
SET @cti_author = COALESCE((SELECT id FROM vtiger_users WHERE id = :owner_id AND status = 'Active' AND deleted = 0),
                           (SELECT MIN(id) FROM vtiger_users WHERE status = 'Active' AND deleted = 0));
SET @cti_text = :note, @cti_code = :code, @cti_note_id = :note_id, @cti_call = :id;
SET @cti_uuid = CONVERT(RIGHT(@cti_call, 100) USING utf8mb3);
SET @cti_note = LEFT(CONVERT(CONCAT(COALESCE(CONCAT('[', @cti_code, '] '), ''), COALESCE(@cti_text, '')) USING utf8mb3), 16000);
SET @cti_customer = (SELECT crmid FROM vtiger_crmentity WHERE crmid = :record_id AND deleted = 0);
SET @cti_new = @cti_customer IS NOT NULL AND NOT EXISTS
    (SELECT 1 FROM vtiger_crmentity WHERE crmid = @cti_note_id AND setype = 'ModComments' AND description = @cti_uuid);
INSERT INTO vtiger_crmentity (crmid, smcreatorid, smownerid, modifiedby, setype, description, createdtime, modifiedtime, source, smgroupid, label)
SELECT :note_id, @cti_author, @cti_author, @cti_author, 'ModComments', @cti_uuid, UTC_TIMESTAMP(), UTC_TIMESTAMP(), 'CTIBRIDGE', 0, LEFT(@cti_note, 255)
  FROM (SELECT 1 AS one) o WHERE @cti_new;
INSERT INTO vtiger_modcomments (modcommentsid, commentcontent, related_to, parent_comments, customer, userid, reasontoedit, is_private, filename, related_email_id)
SELECT :note_id, @cti_note, @cti_customer, 0, 0, 0, '', 0, '', 0 FROM (SELECT 1 AS one) o WHERE @cti_new;
INSERT INTO vtiger_modcommentscf (modcommentsid) SELECT :note_id FROM (SELECT 1 AS one) o WHERE @cti_new;
UPDATE vtiger_crmentity e JOIN vtiger_modcomments m ON m.modcommentsid = e.crmid
   SET m.commentcontent = @cti_note, e.label = LEFT(@cti_note, 255), e.modifiedtime = UTC_TIMESTAMP(), e.modifiedby = @cti_author
 WHERE e.crmid = :note_id AND e.setype = 'ModComments' AND e.description = @cti_uuid AND m.commentcontent <> @cti_note;
