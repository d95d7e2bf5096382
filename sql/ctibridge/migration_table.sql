-- Which migrations this database has had.
CREATE TABLE IF NOT EXISTS cti_schema (
    version  INT          NOT NULL,
    name     VARCHAR(190) NOT NULL,
    applied  DATETIME(3)  NOT NULL,
    PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
