UPDATE cti_seat SET jid = :jid, since = :since WHERE id = :id;
