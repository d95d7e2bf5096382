SELECT id, pbx, extension, place FROM cti_seat ORDER BY id;
