-- What is done with a call is audited beside the dials; who takes care of a missed or abandoned call. May be run again.
ALTER TABLE cti_dial
    ADD COLUMN action   VARCHAR(32)  NULL,   -- dial hangup answer hold unhold park pickup transfer-blind ...
    ADD COLUMN `call`   VARCHAR(191) NULL,   -- PBX:LINKEDID, of what is done with a call
    ADD COLUMN asked_by VARCHAR(255) NULL;   -- JID, when it was asked for on behalf of `jid`
UPDATE cti_dial SET action = 'dial' WHERE action IS NULL;

CREATE TABLE IF NOT EXISTS cti_claim (
    `call`     VARCHAR(191) NOT NULL,
    jid        VARCHAR(255) NOT NULL,
    at         DATETIME(3)  NOT NULL,
    PRIMARY KEY (`call`),
    KEY cti_claim_jid (jid, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
