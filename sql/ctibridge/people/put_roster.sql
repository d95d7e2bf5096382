INSERT INTO roster (part, kind, body) VALUES (:part, :kind, :body);
