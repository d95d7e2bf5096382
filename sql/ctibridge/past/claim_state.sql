-- Who has it; no row: it is no business of this operator, or nobody's to take.
SELECT k.jid, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', k.at) DIV 1000 AS at_ms
  FROM cti_claim k JOIN cti_call c ON c.id = k.`call`
 WHERE k.`call` = :call
   AND (EXISTS (SELECT 1 FROM cti_leg mine WHERE mine.`call` = c.id AND mine.jid = :jid)
        OR EXISTS (SELECT 1 FROM cti_service_operator o WHERE o.service = c.service AND o.jid = :jid)
        OR (c.pbx = :pbx AND NOT EXISTS (SELECT 1 FROM cti_service_operator o WHERE o.service = c.service)));
