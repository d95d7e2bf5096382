-- What the database has of a call: revision of our row, and its row in the CRM. One row, always.
SELECT c.revision, l.crm_id, l.revision AS crm_revision, l.note_id
  FROM (SELECT 1 AS one) o LEFT JOIN cti_call c ON c.id = :id LEFT JOIN cti_crm_row l ON l.`call` = :id;
