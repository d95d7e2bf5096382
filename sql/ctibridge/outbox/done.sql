DELETE FROM fact WHERE seq = :seq;
