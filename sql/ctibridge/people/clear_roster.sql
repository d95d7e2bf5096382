DELETE FROM roster WHERE part = :part;
