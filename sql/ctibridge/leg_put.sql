INSERT INTO cti_leg (`call`, uniqueid, jid) VALUES (:call, :uniqueid, :jid) ON DUPLICATE KEY UPDATE jid = jid;
UPDATE cti_leg
   SET revision = :revision, extension = LEFT(:extension, 64), offered = :offered, answered = :answered, ended = :ended,
       cause = LEFT(:cause, 32)
 WHERE `call` = :call AND uniqueid = :uniqueid AND jid = :jid AND revision < :revision;
