DELETE FROM record;
DELETE FROM operator;
DELETE FROM may_see;
DELETE FROM property;
