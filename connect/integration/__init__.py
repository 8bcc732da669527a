"""The page on how a fleet speaks to Smartcar: its application, its generation, and moves from one to another."""
