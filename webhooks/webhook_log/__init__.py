"""The webhook log: a fleet's deliveries, how they were processed, and reprocessing."""
