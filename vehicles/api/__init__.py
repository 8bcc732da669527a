"""The read API of cars: what is known of them, their signals and their history."""
