-- Who sits where is no matter of an import: kept over it.
SELECT id, jid, since FROM cti_seat WHERE jid IS NOT NULL FOR UPDATE;
