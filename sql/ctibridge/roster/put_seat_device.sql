INSERT INTO cti_seat_device (seat, device, place) VALUES (:seat, :device, :place);
