INSERT INTO cti_service_operator (service, jid, penalty, supervisor) VALUES (:service, :jid, :penalty, :supervisor);
