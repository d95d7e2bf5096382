-- The id that a call's row in the CRM has or will have.
INSERT INTO cti_crm_row (`call`, crm_id) VALUES (:id, :crm_id);
