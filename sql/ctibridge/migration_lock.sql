-- One migrate at a time on a server.
SELECT GET_LOCK('ctibridge migrate', 10) AS mine;
