SELECT revision FROM clock WHERE id = 1;
