"""The vehicles page: a fleet's vehicles in a table and on a map, with shared filters."""
