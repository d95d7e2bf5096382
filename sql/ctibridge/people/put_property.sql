INSERT OR REPLACE INTO property (name, value) VALUES (:name, :value);
