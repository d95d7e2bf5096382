SELECT COUNT(*) AS depth, COALESCE(MIN(at), 0) AS oldest, MAX(seq) AS last FROM fact WHERE error IS NULL;
