SELECT service, context FROM cti_service_context ORDER BY service, place, context;
