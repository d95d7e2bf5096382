-- Services, seats and people in full. May be run again from the start: a column that exists already is left as it is.
ALTER TABLE cti_service
    ADD COLUMN skill     VARCHAR(100) NULL,
    ADD COLUMN caller_id VARCHAR(190) NULL,              -- outbound: what the called party sees
    ADD COLUMN wrap_up_s INT          NOT NULL DEFAULT 0;

-- `place` orders what belongs to one service, operator or seat.
CREATE TABLE IF NOT EXISTS cti_service_context (
    service   VARCHAR(100) NOT NULL,
    context   VARCHAR(100) NOT NULL,
    place     INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (service, context)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO cti_service_context (service, context)
SELECT s.name, s.context FROM cti_service s
 WHERE s.context <> ''
   AND NOT EXISTS (SELECT 1 FROM cti_service_context c WHERE c.service = s.name AND c.context = s.context);

ALTER TABLE cti_service_variable
    ADD COLUMN place INT NOT NULL DEFAULT 0;

-- Modules of the CRM whose records are shown first.
CREATE TABLE IF NOT EXISTS cti_service_module (
    service   VARCHAR(100) NOT NULL,
    module    VARCHAR(100) NOT NULL,
    place     INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (service, module)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What an operator may choose in the wrap-up.
CREATE TABLE IF NOT EXISTS cti_service_code (
    service   VARCHAR(100) NOT NULL,
    code      VARCHAR(100) NOT NULL,
    label     VARCHAR(190) NULL,
    place     INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (service, code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Channels without the part after the last "-", where the pattern of the pbx does not give them.
CREATE TABLE IF NOT EXISTS cti_operator_device (
    jid       VARCHAR(255) NOT NULL,
    device    VARCHAR(190) NOT NULL,
    place     INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (jid, device)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO cti_operator_device (jid, device)
SELECT o.jid, o.device FROM cti_operator o
 WHERE o.device <> ''
   AND NOT EXISTS (SELECT 1 FROM cti_operator_device d WHERE d.jid = o.jid AND d.device = o.device);

CREATE TABLE IF NOT EXISTS cti_seat_device (
    seat      VARCHAR(64)  NOT NULL,
    device    VARCHAR(190) NOT NULL,
    place     INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (seat, device)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO cti_seat_device (seat, device)
SELECT s.id, s.device FROM cti_seat s
 WHERE s.device <> ''
   AND NOT EXISTS (SELECT 1 FROM cti_seat_device d WHERE d.seat = s.id AND d.device = s.device);

-- MAC or host name of the seat's computer or phone, lower case: who comes with it sits there.
CREATE TABLE IF NOT EXISTS cti_seat_key (
    `key`     VARCHAR(190) NOT NULL,
    seat      VARCHAR(64)  NOT NULL,
    place     INT          NOT NULL DEFAULT 0,
    PRIMARY KEY (`key`),
    KEY cti_seat_key_seat (seat)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
