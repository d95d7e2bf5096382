DELETE FROM operator;
