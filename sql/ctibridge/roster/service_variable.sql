SELECT service, variable FROM cti_service_variable ORDER BY service, place, variable;
