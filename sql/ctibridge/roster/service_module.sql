SELECT service, module FROM cti_service_module ORDER BY service, place, module;
