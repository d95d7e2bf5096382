DELETE FROM record;
