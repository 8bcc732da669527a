"""Smartcar Connect: where a driver picks a brand, signs in, and grants or denies access to cars."""
