"""The audit log page: who did what in a fleet, filtered, and as CSV."""
