"""The hosts of Smartcar, each under its prefix on one port."""
