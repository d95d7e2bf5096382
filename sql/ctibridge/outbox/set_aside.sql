UPDATE fact SET error = :error WHERE seq = :seq;
