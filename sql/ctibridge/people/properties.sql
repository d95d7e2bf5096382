SELECT name, value FROM property;
