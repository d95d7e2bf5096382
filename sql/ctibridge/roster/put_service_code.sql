INSERT INTO cti_service_code (service, code, label, place) VALUES (:service, :code, :label, :place);
