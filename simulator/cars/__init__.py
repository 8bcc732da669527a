"""A seeded world of connected cars: what they are, where they drive, how they charge, and what they report.

Pure Python, no network and no clock of its own: every call is told the time. The same seed, start and time give the
same answers.
"""

from simulator.cars.car import Car
from simulator.cars.catalogue import CATALOGUE, SignalCode
from simulator.cars.garage import Account, Change, Garage
from simulator.cars.makes import COMMANDS, MAKES
from simulator.cars.models import MODELS, Model
from simulator.cars.patches import NAMES as PATCH_NAMES
from simulator.cars.signal import Refused, Signal

__all__ = [
    "CATALOGUE",
    "COMMANDS",
    "MAKES",
    "MODELS",
    "PATCH_NAMES",
    "Account",
    "Car",
    "Change",
    "Garage",
    "Model",
    "Refused",
    "Signal",
    "SignalCode",
]
