-- Nobody answered the call, and it concerns the operator: it is theirs, unless somebody has it already.
INSERT IGNORE INTO cti_claim (`call`, jid, at)
SELECT c.id, :jid, UTC_TIMESTAMP(3)
  FROM cti_call c
 WHERE c.id = :call AND c.ended IS NOT NULL AND c.merged_into IS NULL AND c.direction <> 'outbound'
   AND c.disposition <> 'answered'
   AND (EXISTS (SELECT 1 FROM cti_leg mine WHERE mine.`call` = c.id AND mine.jid = :jid)
        OR EXISTS (SELECT 1 FROM cti_service_operator o WHERE o.service = c.service AND o.jid = :jid)
        OR (c.pbx = :pbx AND NOT EXISTS (SELECT 1 FROM cti_service_operator o WHERE o.service = c.service)));
