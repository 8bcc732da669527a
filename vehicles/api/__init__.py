"""The read-only API of vehicles, their signals and their history."""
