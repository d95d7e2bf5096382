UPDATE cti_crm_row SET revision = :revision, note_id = :note_id WHERE `call` = :id;
