-- The id of a call's note is known before the CRM has the note.
UPDATE cti_crm_row SET note_id = :note_id WHERE `call` = :id;
