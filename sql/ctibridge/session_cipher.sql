-- The cipher in force, empty without TLS. Asked, because the client library may connect in plain text without saying so.
SHOW STATUS LIKE 'Ssl_cipher';
