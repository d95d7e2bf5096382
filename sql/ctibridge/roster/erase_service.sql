DELETE FROM cti_service_context WHERE service = :key;
DELETE FROM cti_service_variable WHERE service = :key;
DELETE FROM cti_service_module WHERE service = :key;
DELETE FROM cti_service_code WHERE service = :key;
DELETE FROM cti_service_operator WHERE service = :key;
DELETE FROM cti_service WHERE name = :key;
