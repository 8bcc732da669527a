"""The command palette: one search field for the fleet's vehicles, drivers, places, pages and actions."""
