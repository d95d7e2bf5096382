-- The row of a leg, unless a newer fact is there already. A call that was merged has no legs of its own any more (call_put.sql moved them).
INSERT INTO cti_leg (`call`, uniqueid, jid)
SELECT :call, :uniqueid, :jid FROM (SELECT 1) AS one
 WHERE NOT EXISTS (SELECT 1 FROM cti_call WHERE id = :call AND merged_into IS NOT NULL)
    ON DUPLICATE KEY UPDATE cti_leg.jid = cti_leg.jid;
UPDATE cti_leg
   SET revision = :revision, extension = LEFT(:extension, 64), offered = :offered, answered = :answered, ended = :ended,
       ended_by = :ended_by, cause = LEFT(:cause, 32)
 WHERE `call` = :call AND uniqueid = :uniqueid AND jid = :jid AND revision < :revision;
