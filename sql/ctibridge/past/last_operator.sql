-- Who talked with this number last, whoever called: newest first.
SELECT found.jid
  FROM (SELECT l.jid, l.answered FROM cti_call c JOIN cti_leg l ON l.`call` = c.id
         WHERE c.caller_number = :number AND c.direction = 'inbound' AND l.answered IS NOT NULL
        UNION ALL
        SELECT l.jid, l.answered FROM cti_call c JOIN cti_leg l ON l.`call` = c.id
         WHERE c.dialed_number = :number AND c.direction = 'outbound' AND c.answered IS NOT NULL AND l.answered IS NOT NULL) found
 ORDER BY found.answered DESC
 LIMIT 1;
