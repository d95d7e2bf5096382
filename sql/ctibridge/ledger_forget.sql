-- An id turned out to be another record's: new ones are taken.
DELETE FROM cti_crm_row WHERE `call` = :id AND revision = 0;
UPDATE cti_crm_row SET note_id = NULL WHERE `call` = :id;
