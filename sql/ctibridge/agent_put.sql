INSERT INTO cti_agent_event (revision, at, jid, pbx, extension, seat, state, reason, by_jid)
VALUES (:revision, :at, LEFT(:jid, 255), LEFT(:pbx, 64), LEFT(:extension, 64), LEFT(:seat, 64), LEFT(:state, 32), LEFT(:reason, 64),
        LEFT(:by_jid, 255))
    ON DUPLICATE KEY UPDATE id = id;
