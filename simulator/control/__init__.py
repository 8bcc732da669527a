"""The control API and its pages: what a tester does to the simulated world. Loopback only, no credentials."""
