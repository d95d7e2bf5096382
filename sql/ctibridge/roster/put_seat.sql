INSERT INTO cti_seat (id, pbx, extension, place) VALUES (:id, COALESCE(:pbx, ''), :extension, :place);
