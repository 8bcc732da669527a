"""Moving a fleet from one version of Smartcar's API to the other while it runs, without asking a driver anything."""
