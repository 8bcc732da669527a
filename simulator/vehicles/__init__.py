"""A seeded fleet of connected vehicles: what they are, where they drive, how they charge, and what they report.

Pure Python without network access or a clock. Callers pass the time. The same seed, start and time give the same
results.
"""

from simulator.vehicles.catalogue import CATALOGUE, SignalCode
from simulator.vehicles.fleet import Account, Change, Fleet
from simulator.vehicles.makes import COMMANDS, MAKES
from simulator.vehicles.models import MODELS, Model
from simulator.vehicles.patches import NAMES as PATCH_NAMES
from simulator.vehicles.signal import CommandRejected, Signal
from simulator.vehicles.vehicle import Vehicle

__all__ = [
    "CATALOGUE",
    "COMMANDS",
    "MAKES",
    "MODELS",
    "PATCH_NAMES",
    "Account",
    "Change",
    "CommandRejected",
    "Fleet",
    "Model",
    "Signal",
    "SignalCode",
    "Vehicle",
]
