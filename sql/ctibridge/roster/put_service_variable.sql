INSERT INTO cti_service_variable (service, variable, place) VALUES (:service, :variable, :place);
