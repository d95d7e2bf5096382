-- Who has the call in their lists.
SELECT l.jid FROM cti_leg l WHERE l.`call` = :call
UNION
SELECT o.jid FROM cti_call c JOIN cti_service_operator o ON o.service = c.service WHERE c.id = :call;
