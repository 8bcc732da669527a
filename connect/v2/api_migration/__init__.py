"""Migration of a fleet to the other version of Smartcar's API, without downtime and without involving drivers."""
