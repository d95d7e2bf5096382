INSERT INTO cti_service_context (service, context, place) VALUES (:service, :context, :place);
