DELETE FROM owed WHERE jid = :jid AND pbx = :pbx AND leg = :leg;
