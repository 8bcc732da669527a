"""The hosts of Smartcar, each under its prefix of the one port."""
