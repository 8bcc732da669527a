"""A car leaves a fleet: its grants end at Smartcar, what was recorded is kept or erased, and a proof of it stays."""
