INSERT INTO owed (jid, pbx, leg, id, stanza) VALUES (:jid, :pbx, :leg, :id, :stanza)
 ON CONFLICT (jid, pbx, leg) DO UPDATE SET id = excluded.id, stanza = excluded.stanza;
