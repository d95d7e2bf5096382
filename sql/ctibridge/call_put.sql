-- The whole row of a call, unless a newer fact is there already. Texts are cut to their columns, by characters.
INSERT INTO cti_call (id) VALUES (:id) ON DUPLICATE KEY UPDATE id = id;
UPDATE cti_call
   SET revision = :revision, pbx = LEFT(:pbx, 64), linkedid = LEFT(:linkedid, 150), merged_into = LEFT(:merged_into, 191),
       direction = :direction, caller_number = LEFT(:caller_number, 100), caller_name = LEFT(:caller_name, 190),
       dialed_number = LEFT(:dialed_number, 100), service = LEFT(:service, 100), queue = LEFT(:queue, 100),
       module = LEFT(:module, 100), record = LEFT(:record, 64), label = LEFT(:label, 255),
       started = :started, answered = :answered, ended = :ended, ended_by = :ended_by, wait_ms = :wait_ms, talk_ms = :talk_ms,
       disposition = :disposition, answered_by = LEFT(:answered_by, 255), request = LEFT(:request, 190),
       recording = LEFT(:recording, 1000), note = COALESCE(LEFT(:note, 16000), note), code = COALESCE(LEFT(:code, 100), code)
 WHERE id = :id AND revision < :revision;
-- The legs of a call that was merged belong to the one it went into; those that are there already were written as such.
UPDATE IGNORE cti_leg JOIN cti_call ON cti_call.id = cti_leg.`call`
   SET cti_leg.`call` = cti_call.merged_into
 WHERE cti_leg.`call` = :id AND cti_call.merged_into IS NOT NULL;
DELETE FROM cti_leg
 WHERE `call` = :id AND EXISTS (SELECT 1 FROM cti_call WHERE id = :id AND merged_into IS NOT NULL);
