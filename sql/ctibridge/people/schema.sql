-- What the index was made of, kept so that callers are known without the CRM's database (SQLite).
CREATE TABLE IF NOT EXISTS record (
    id           TEXT NOT NULL PRIMARY KEY,
    module       TEXT NOT NULL,
    label        TEXT NOT NULL,
    organization TEXT NOT NULL,
    owner        TEXT NOT NULL,
    owner_user   TEXT NOT NULL,
    owner_id     TEXT NOT NULL,
    modified     INTEGER NOT NULL,   -- milliseconds since 1970
    numbers      TEXT NOT NULL       -- as read by us, see crm/index.hpp, one a line
) WITHOUT ROWID;
-- People, services, seats: one row of ours each, as crm/roster.hpp lists them. `part` is `people` (what operators came to) or `own` (our
-- tables as they were read).
CREATE TABLE IF NOT EXISTS roster (
    part TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
);
DROP TABLE IF EXISTS operator;
-- Answers of may_see: `subject` is an owner or a record, as the adapter says.
CREATE TABLE IF NOT EXISTS may_see (
    crm_user TEXT NOT NULL,
    subject  TEXT NOT NULL,
    yes      INTEGER NOT NULL,
    PRIMARY KEY (crm_user, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS property (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
