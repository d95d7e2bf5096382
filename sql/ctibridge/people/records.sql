SELECT id, module, label, organization, owner, owner_user, owner_id, modified, numbers
  FROM record WHERE id > :after ORDER BY id LIMIT :count;
