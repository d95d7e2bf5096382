INSERT INTO cti_seat_key (`key`, seat, place) VALUES (:seat_key, :seat, :place);
