INSERT INTO cti_dial (id) VALUES (:id) ON DUPLICATE KEY UPDATE id = id;
UPDATE cti_dial
   SET revision = :revision, at = :at, jid = LEFT(:jid, 255), pbx = LEFT(:pbx, 64), extension = LEFT(:extension, 64),
       number = LEFT(:number, 190), dialed = LEFT(:dialed, 100), module = LEFT(:module, 100), record = LEFT(:record, 64),
       service = LEFT(:service, 100), outcome = LEFT(:outcome, 255),
       action = LEFT(COALESCE(:action, 'dial'), 32), `call` = LEFT(:call, 191), asked_by = LEFT(:asked_by, 255)
 WHERE id = :id AND revision < :revision;
