INSERT INTO cti_service_module (service, module, place) VALUES (:service, :module, :place);
