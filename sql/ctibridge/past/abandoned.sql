-- Callers of a queue who gave up, if the queue's service is this operator's, or names nobody and is at their exchange.
SELECT c.id, c.pbx, c.linkedid, c.direction, c.caller_number, c.caller_name, c.dialed_number, c.service, c.queue, c.module, c.record, c.label,
       c.disposition, c.answered_by, c.request, c.recording, c.note, c.code, c.wait_ms, c.talk_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.started) DIV 1000 AS started_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.answered) DIV 1000 AS answered_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.ended) DIV 1000 AS ended_ms,
       k.jid AS claimed_by, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', k.at) DIV 1000 AS claimed_ms,
       (SELECT MAX(l.uniqueid) FROM cti_leg l WHERE l.`call` = c.id AND l.jid = :jid) AS leg,
       (SELECT MAX(l.extension) FROM cti_leg l WHERE l.`call` = c.id AND l.jid = :jid) AS extension, 'cancelled' AS cause
  FROM cti_call c LEFT JOIN cti_claim k ON k.`call` = c.id
 WHERE c.disposition = 'abandoned' AND c.merged_into IS NULL AND c.ended IS NOT NULL
   AND (:before IS NULL OR c.started < (SELECT known.started FROM cti_call known WHERE known.id = :before))
   AND (EXISTS (SELECT 1 FROM cti_leg mine WHERE mine.`call` = c.id AND mine.jid = :jid)
        OR EXISTS (SELECT 1 FROM cti_service_operator o WHERE o.service = c.service AND o.jid = :jid)
        OR (c.pbx = :pbx AND NOT EXISTS (SELECT 1 FROM cti_service_operator o WHERE o.service = c.service)))
 ORDER BY c.started DESC, c.id DESC
 LIMIT :max;
