-- {database} is the name in the configuration. An administrator may run this when the daemon's account must not.
CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
