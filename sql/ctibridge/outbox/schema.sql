-- The outbox file (SQLite). A sequence number never comes back: AUTOINCREMENT.
CREATE TABLE IF NOT EXISTS fact (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind      INTEGER NOT NULL,          -- 1 call, 2 leg, 3 dial, 4 agent
    revision  INTEGER NOT NULL,
    at        INTEGER NOT NULL,          -- milliseconds since 1970
    body      BLOB    NOT NULL,
    error     TEXT                       -- not null: set aside
);
CREATE INDEX IF NOT EXISTS fact_set_aside ON fact (seq) WHERE error IS NOT NULL;
-- Notices that were sent in a non-terminal state.
CREATE TABLE IF NOT EXISTS owed (
    jid     TEXT NOT NULL,
    pbx     TEXT NOT NULL,
    leg     TEXT NOT NULL,
    id      TEXT NOT NULL,
    stanza  BLOB NOT NULL,
    PRIMARY KEY (jid, pbx, leg)
) WITHOUT ROWID;
-- The highest revision ever given, so that a clock that was set back gives no old one again.
CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
INSERT OR IGNORE INTO clock (id, revision) VALUES (1, 0);
