-- Run after every connect. Times are UTC; a lock is waited for 2 s; what does not fit is an error and is never cut silently.
SET SESSION time_zone = '+00:00';
SET SESSION innodb_lock_wait_timeout = 2;
SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
