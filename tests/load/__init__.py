"""A simulated pbx: speaks AMI as recorded Asterisk servers did, as often as wanted, and fails in every way wanted."""
