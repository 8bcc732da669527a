"""What every part of the API shares: who calls, for which fleets, how often, and how errors are told."""
