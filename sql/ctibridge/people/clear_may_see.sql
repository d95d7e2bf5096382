DELETE FROM may_see;
