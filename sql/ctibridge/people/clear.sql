DELETE FROM record;
DELETE FROM roster;
DELETE FROM may_see;
DELETE FROM property;
