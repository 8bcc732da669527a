"""The audit log page: who did what in a fleet, with filters and CSV export."""
