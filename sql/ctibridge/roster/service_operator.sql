SELECT service, jid, penalty, supervisor FROM cti_service_operator ORDER BY service, jid;
