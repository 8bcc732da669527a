"""Kills of all services during 20,000 deliveries: the parts of that test that run in their own processes."""
