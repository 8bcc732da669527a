"""The page about a fleet's Smartcar integration: its application, its API version, and migrations of both."""
