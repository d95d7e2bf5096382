-- The server's clock, for the doctor: seconds since 1970 UTC.
SELECT UNIX_TIMESTAMP() AS seconds;
