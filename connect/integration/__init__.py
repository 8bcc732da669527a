"""The page on how a fleet speaks to Smartcar: its application, its API version, and moves from one to another."""
