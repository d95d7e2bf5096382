-- An end that nobody saw was between `ended` and `ended_by`; NULL: `ended` is exact. May be run again.
ALTER TABLE cti_call ADD COLUMN ended_by DATETIME(3) NULL AFTER ended;
ALTER TABLE cti_leg ADD COLUMN ended_by DATETIME(3) NULL AFTER ended;
