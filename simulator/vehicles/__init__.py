"""A seeded world of connected cars: what they are, where they drive, how they charge, and what they report.

Pure Python, no network and no clock of its own: every call is told the time. The same seed, start and time give the
same answers.
"""

from simulator.vehicles.catalogue import CATALOGUE, SignalCode
from simulator.vehicles.fleet import Account, Change, Fleet
from simulator.vehicles.makes import COMMANDS, MAKES
from simulator.vehicles.models import MODELS, Model
from simulator.vehicles.patches import NAMES as PATCH_NAMES
from simulator.vehicles.signal import CommandRefused, Signal
from simulator.vehicles.vehicle import Vehicle

__all__ = [
    "CATALOGUE",
    "COMMANDS",
    "MAKES",
    "MODELS",
    "PATCH_NAMES",
    "Account",
    "Change",
    "CommandRefused",
    "Fleet",
    "Model",
    "Signal",
    "SignalCode",
    "Vehicle",
]
