"""Names of doors, windows and tires by their position, in the active language: "Front left tire"."""

from collections.abc import Mapping
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from vehicles import catalogue
from vehicles.catalogue import Signal


class Side(StrEnum):
    """A side of the vehicle, in the direction of travel."""

    LEFT = "left"
    RIGHT = "right"


# By row: -1 for the first row, 1 for the last, 0 for those between.
_DOORS = {
    (-1, Side.LEFT): _("Front left door"),
    (-1, Side.RIGHT): _("Front right door"),
    (0, Side.LEFT): _("Middle left door"),
    (0, Side.RIGHT): _("Middle right door"),
    (1, Side.LEFT): _("Rear left door"),
    (1, Side.RIGHT): _("Rear right door"),
}
_WINDOWS = {
    (-1, Side.LEFT): _("Front left window"),
    (-1, Side.RIGHT): _("Front right window"),
    (0, Side.LEFT): _("Middle left window"),
    (0, Side.RIGHT): _("Middle right window"),
    (1, Side.LEFT): _("Rear left window"),
    (1, Side.RIGHT): _("Rear right window"),
}
_TIRES = {
    (-1, Side.LEFT): _("Front left tire"),
    (-1, Side.RIGHT): _("Front right tire"),
    (0, Side.LEFT): _("Middle left tire"),
    (0, Side.RIGHT): _("Middle right tire"),
    (1, Side.LEFT): _("Rear left tire"),
    (1, Side.RIGHT): _("Rear right tire"),
}
# Within a list that says what it is about.
_PLACES = {
    (-1, Side.LEFT): _("front left"),
    (-1, Side.RIGHT): _("front right"),
    (0, Side.LEFT): _("middle left"),
    (0, Side.RIGHT): _("middle right"),
    (1, Side.LEFT): _("rear left"),
    (1, Side.RIGHT): _("rear right"),
}
_NAMES: Mapping[str, Mapping[tuple[int, Side], Promise]] = {
    catalogue.DOORS.code: _DOORS,
    catalogue.WINDOWS.code: _WINDOWS,
    catalogue.TIRES.code: _TIRES,
}


def side_of(column: int, columns: int) -> Side:
    """Returns the side of a column, counted from the left from 0. A middle one belongs to the left."""
    return Side.LEFT if column < (columns + 1) // 2 else Side.RIGHT


def part_name(signal: Signal, *, row: int, column: int, rows: int, columns: int) -> str:
    """Returns the name of one of the signal's parts."""
    return str(_NAMES[signal.code][_position(row, column, rows, columns)])


def place_name(*, row: int, column: int, rows: int, columns: int) -> str:
    """Returns the position alone, for use within a sentence: "front left"."""
    return str(_PLACES[_position(row, column, rows, columns)])


def _position(row: int, column: int, rows: int, columns: int) -> tuple[int, Side]:
    along = -1 if row == 0 else 1 if row == rows - 1 else 0
    return along, side_of(column, columns)
