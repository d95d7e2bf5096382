"""Real servers for tests and demo: private, on loopback, on free ports, gone with whoever started them."""
