-- At start: after an upgrade, or with the cause mended, they may be applied after all.
UPDATE fact SET error = NULL WHERE error IS NOT NULL;
