-- Calls that rang at this operator's phone, or that they made: newest first, each once, with their last ring in it.
SELECT c.id, c.pbx, c.linkedid, c.direction, c.caller_number, c.caller_name, c.dialed_number, c.service, c.queue, c.module, c.record, c.label,
       c.disposition, c.answered_by, c.request, c.recording, c.note, c.code, c.wait_ms, c.talk_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.started) DIV 1000 AS started_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.answered) DIV 1000 AS answered_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.ended) DIV 1000 AS ended_ms,
       k.jid AS claimed_by, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', k.at) DIV 1000 AS claimed_ms,
       l.uniqueid AS leg, l.extension, l.cause
  FROM cti_leg l JOIN cti_call c ON c.id = l.`call` LEFT JOIN cti_claim k ON k.`call` = c.id
 WHERE l.jid = :jid AND l.offered IS NOT NULL AND l.ended IS NOT NULL AND c.merged_into IS NULL
   AND (:before IS NULL OR l.offered < (SELECT MAX(known.offered) FROM cti_leg known WHERE known.`call` = :before AND known.jid = :jid))
   AND NOT EXISTS (SELECT 1 FROM cti_leg later
                    WHERE later.`call` = l.`call` AND later.jid = l.jid
                      AND (later.offered > l.offered OR (later.offered = l.offered AND later.uniqueid > l.uniqueid)))
 ORDER BY l.offered DESC, l.uniqueid DESC
 LIMIT :max;
