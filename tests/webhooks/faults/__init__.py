"""Everything killed in the middle of 20,000 deliveries: the parts of that test, each a process of its own."""
