INSERT INTO cti_schema (version, name, applied) VALUES (:version, :name, UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE name = name;
