SELECT jid, pbx, leg, id, stanza FROM owed ORDER BY jid, pbx, leg;
