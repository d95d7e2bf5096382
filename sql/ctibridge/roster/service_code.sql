SELECT service, code, label FROM cti_service_code ORDER BY service, place, code;
