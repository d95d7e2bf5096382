-- Append to prosody.cfg.lua. Component port 5347 on loopback is Prosody's default.
Component "cti.example.org"
	component_secret = "CHANGE-ME"
	name = "phone"   -- what Spark's phone plugin looks for in the service list
-- In the global section, so that a bridge that lost its link need not wait for the dead connection:
-- component_conflict_resolve = "kick_old"
