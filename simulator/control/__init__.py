"""The control API and its pages, for controlling the simulation in tests. For loopback only, without credentials."""
