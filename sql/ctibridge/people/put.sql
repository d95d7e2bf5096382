INSERT OR REPLACE INTO record (id, module, label, organization, owner, owner_user, owner_id, modified, numbers)
VALUES (:id, :module, :label, :organization, :owner, :owner_user, :owner_id, :modified, :numbers);
