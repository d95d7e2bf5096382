-- One call that has ended, if the operator had a ring in it or anybody's will do.
SELECT c.id, c.pbx, c.linkedid, c.direction, c.caller_number, c.caller_name, c.dialed_number, c.service, c.queue, c.module, c.record, c.label,
       c.disposition, c.answered_by, c.request, c.recording, c.note, c.code, c.wait_ms, c.talk_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.started) DIV 1000 AS started_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.answered) DIV 1000 AS answered_ms,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', c.ended) DIV 1000 AS ended_ms,
       k.jid AS claimed_by, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', k.at) DIV 1000 AS claimed_ms,
       (SELECT MAX(l.uniqueid) FROM cti_leg l WHERE l.`call` = c.id AND l.jid = :jid) AS leg,
       EXISTS (SELECT 1 FROM cti_crm_row r WHERE r.`call` = c.id) AS in_crm
  FROM cti_call c LEFT JOIN cti_claim k ON k.`call` = c.id
 WHERE c.id = :call AND c.merged_into IS NULL AND c.ended IS NOT NULL
   AND (:anybody = 1 OR EXISTS (SELECT 1 FROM cti_leg mine WHERE mine.`call` = c.id AND mine.jid = :jid));
