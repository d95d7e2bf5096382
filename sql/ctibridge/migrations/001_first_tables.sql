-- The first tables. Times are UTC with milliseconds; ids and JIDs are compared byte by byte. May be run again from the start:
-- a migration that was interrupted is.
CREATE TABLE IF NOT EXISTS cti_call (
    id             VARCHAR(191)  NOT NULL,              -- PBX:LINKEDID
    revision       BIGINT        NOT NULL DEFAULT 0,    -- of the newest fact in this row; an older one changes nothing
    pbx            VARCHAR(64)   NULL,
    linkedid       VARCHAR(150)  NULL,
    merged_into    VARCHAR(191)  NULL,
    direction      VARCHAR(10)   NULL,                  -- inbound | outbound | internal
    caller_number  VARCHAR(100)  NULL,
    caller_name    VARCHAR(190)  NULL,
    dialed_number  VARCHAR(100)  NULL,
    service        VARCHAR(100)  NULL,
    queue          VARCHAR(100)  NULL,
    module         VARCHAR(100)  NULL,                  -- of the CRM record
    record         VARCHAR(64)   NULL,
    label          VARCHAR(255)  NULL,
    started        DATETIME(3)   NULL,
    answered       DATETIME(3)   NULL,
    ended          DATETIME(3)   NULL,
    wait_ms        BIGINT        NULL,
    talk_ms        BIGINT        NULL,
    disposition    VARCHAR(12)   NULL,                  -- answered no-answer busy abandoned failed lost; NULL: going on
    answered_by    VARCHAR(255)  NULL,                  -- JID
    request        VARCHAR(190)  NULL,
    recording      VARCHAR(1000) NULL,
    note           TEXT          NULL,
    code           VARCHAR(100)  NULL,
    PRIMARY KEY (id),
    KEY cti_call_started (started),
    KEY cti_call_caller (caller_number),
    KEY cti_call_dialed (dialed_number),
    KEY cti_call_answered_by (answered_by, started),
    KEY cti_call_service (service, started),
    KEY cti_call_record (module, record, started)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cti_leg (
    `call`     VARCHAR(191) NOT NULL,
    uniqueid   VARCHAR(150) NOT NULL,
    jid        VARCHAR(255) NOT NULL,
    revision   BIGINT       NOT NULL DEFAULT 0,
    extension  VARCHAR(64)  NULL,
    offered    DATETIME(3)  NULL,
    answered   DATETIME(3)  NULL,
    ended      DATETIME(3)  NULL,
    cause      VARCHAR(32)  NULL,
    PRIMARY KEY (`call`, uniqueid, jid),
    KEY cti_leg_jid (jid, offered)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Which row of the CRM's call list a call has: what makes writing it idempotent.
CREATE TABLE IF NOT EXISTS cti_crm_row (
    `call`    VARCHAR(191) NOT NULL,
    crm_id    BIGINT       NOT NULL,
    revision  BIGINT       NOT NULL DEFAULT 0,   -- of the newest fact in the CRM; 0: the id is taken, the row not yet written
    note_id   BIGINT       NULL,
    PRIMARY KEY (`call`),
    UNIQUE KEY cti_crm_row_crm_id (crm_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cti_dial (
    id         VARCHAR(191) NOT NULL,
    revision   BIGINT       NOT NULL DEFAULT 0,
    at         DATETIME(3)  NULL,
    jid        VARCHAR(255) NULL,
    pbx        VARCHAR(64)  NULL,
    extension  VARCHAR(64)  NULL,
    number     VARCHAR(190) NULL,   -- as asked
    dialed     VARCHAR(100) NULL,   -- as given to the dialplan
    module     VARCHAR(100) NULL,
    record     VARCHAR(64)  NULL,
    service    VARCHAR(100) NULL,
    outcome    VARCHAR(255) NULL,   -- accepted | refused:RULE | failed:TEXT
    PRIMARY KEY (id),
    KEY cti_dial_at (at),
    KEY cti_dial_jid (jid, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cti_agent_event (
    id         BIGINT       NOT NULL AUTO_INCREMENT,
    revision   BIGINT       NOT NULL,
    at         DATETIME(3)  NOT NULL,
    jid        VARCHAR(255) NOT NULL,
    pbx        VARCHAR(64)  NULL,
    extension  VARCHAR(64)  NULL,
    seat       VARCHAR(64)  NULL,
    service    VARCHAR(100) NULL,
    state      VARCHAR(32)  NOT NULL,
    reason     VARCHAR(64)  NULL,
    by_jid     VARCHAR(255) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY cti_agent_event_once (jid, revision),
    KEY cti_agent_event_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The archive.
CREATE TABLE IF NOT EXISTS cti_event (
    id        BIGINT       NOT NULL AUTO_INCREMENT,
    revision  BIGINT       NOT NULL,
    at        DATETIME(3)  NOT NULL,
    pbx       VARCHAR(64)  NULL,
    kind      VARCHAR(64)  NOT NULL,
    `call`    VARCHAR(191) NULL,
    jid       VARCHAR(255) NULL,
    body      TEXT         NULL,
    PRIMARY KEY (id),
    UNIQUE KEY cti_event_once (revision),
    KEY cti_event_at (at),
    KEY cti_event_call (`call`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Operators, where the CRM's users are not enough: what is NULL here is taken from there.
CREATE TABLE IF NOT EXISTS cti_operator (
    jid        VARCHAR(255) NOT NULL,
    crm_user   VARCHAR(64)  NULL,
    pbx        VARCHAR(64)  NULL,
    extension  VARCHAR(64)  NULL,
    device     VARCHAR(190) NULL,   -- channel without the part after the last "-", where the pattern does not give it
    name       VARCHAR(190) NULL,
    role       VARCHAR(20)  NOT NULL DEFAULT 'operator',   -- operator supervisor administrator application
    active     TINYINT      NOT NULL DEFAULT 1,
    PRIMARY KEY (jid),
    KEY cti_operator_extension (pbx, extension)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cti_seat (
    id         VARCHAR(64)  NOT NULL,
    pbx        VARCHAR(64)  NOT NULL,
    extension  VARCHAR(64)  NOT NULL,
    device     VARCHAR(190) NULL,
    place      VARCHAR(190) NULL,
    jid        VARCHAR(255) NULL,   -- who sits there
    since      DATETIME(3)  NULL,
    PRIMARY KEY (id),
    UNIQUE KEY cti_seat_extension (pbx, extension)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cti_service (
    name       VARCHAR(100) NOT NULL,
    pbx        VARCHAR(64)  NOT NULL,
    context    VARCHAR(100) NULL,
    direction  VARCHAR(10)  NOT NULL DEFAULT 'inbound',
    queue      VARCHAR(100) NULL,
    language   VARCHAR(20)  NULL,
    pop_rule   VARCHAR(32)  NULL,
    url        VARCHAR(1000) NULL,  -- template of the page to open
    enabled    TINYINT      NOT NULL DEFAULT 1,
    PRIMARY KEY (name),
    KEY cti_service_context (pbx, context)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cti_service_variable (
    service   VARCHAR(100) NOT NULL,
    variable  VARCHAR(100) NOT NULL,
    PRIMARY KEY (service, variable)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS cti_service_operator (
    service    VARCHAR(100) NOT NULL,
    jid        VARCHAR(255) NOT NULL,
    penalty    INT          NOT NULL DEFAULT 0,
    supervisor TINYINT      NOT NULL DEFAULT 0,
    PRIMARY KEY (service, jid),
    KEY cti_service_operator_jid (jid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
