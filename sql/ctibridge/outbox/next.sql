SELECT seq, kind, revision, body FROM fact WHERE error IS NULL AND seq > :after ORDER BY seq LIMIT :count;
