DELETE FROM cti_seat_device WHERE seat = :key;
DELETE FROM cti_seat_key WHERE seat = :key;
DELETE FROM cti_seat WHERE id = :key;
