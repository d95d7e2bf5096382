INSERT INTO fact (kind, revision, at, body) VALUES (:kind, :revision, :at, :body);
