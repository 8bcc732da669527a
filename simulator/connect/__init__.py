"""Smartcar Connect: the driver chooses a brand, signs in, and grants or denies access to vehicles."""
