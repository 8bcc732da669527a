"""Offboarding: revokes a vehicle's grants at Smartcar, erases recorded data if requested, and stores a receipt."""
