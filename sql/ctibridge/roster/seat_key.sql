SELECT seat, `key` AS seat_key FROM cti_seat_key ORDER BY seat, place, `key`;
