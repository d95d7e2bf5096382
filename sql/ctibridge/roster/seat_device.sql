SELECT seat, device FROM cti_seat_device ORDER BY seat, place, device;
