SELECT part, kind, body FROM roster ORDER BY rowid;
