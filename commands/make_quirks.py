"""What individual makes do differently with commands. No database access.

Manufacturers change these rules, so each make has the page of Smartcar's documentation and the day it was read
(SOURCES). A manufacturer's limit rejects a command if the vehicle's own data shows that it applies; a special
procedure, or a limit that our data doesn't show, is a hint.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commands.types import CommandType
from smartcar_api.schedules import PARTS
from vehicles import catalogue
from vehicles.makes import make_key
from vehicles.selectors import VehicleState

_DOCS = "https://smartcar.com/docs"
AS_OF = date(2026, 11, 29)
"""The day on which SOURCES were read."""
_BRAND_QUIRKS = f"{_DOCS}/help/brand-quirks"
_START_STOP_CHARGE = f"{_DOCS}/api-reference/evs/control-charge"
SOURCES: Mapping[str, str] = {
    "BMW": f"{_DOCS}/help/oem-integrations/bmw/energy-integration",
    "BUICK": _START_STOP_CHARGE,
    "CADILLAC": _START_STOP_CHARGE,
    "CHEVROLET": _START_STOP_CHARGE,
    "FORD": _START_STOP_CHARGE,
    "GMC": _START_STOP_CHARGE,
    "LINCOLN": _START_STOP_CHARGE,
    "MERCEDES_BENZ": f"{_DOCS}/help/oem-integrations/mercedes/whats-new",
    "MINI": f"{_DOCS}/help/oem-integrations/bmw/energy-integration",
    "NISSAN": _START_STOP_CHARGE,
    "POLESTAR": _BRAND_QUIRKS,
    "VOLKSWAGEN": _BRAND_QUIRKS,
    "VOLVO": _BRAND_QUIRKS,
}
GM = frozenset({"BUICK", "CADILLAC", "CHEVROLET", "GMC"})
GM_MIN_CHARGE = 50
POLESTAR_MIN_CHARGE = 40
MERCEDES_MIN_CHARGE = 50
MERCEDES_LARGE_MIN_CHARGE = 20
_MERCEDES_LARGE = ("EQE", "EQS")
SCHEDULES: Mapping[str, frozenset[str]] = {
    "TESLA": frozenset({"daily", "weekly", "workweek"}),
    "VOLVO": frozenset({"daily"}),
}
"""The types of charge schedules that each make supports; others support none."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """Why the make would reject the command, or what to know before sending it; each may be empty."""

    refusal: str = ""
    hint: str = ""


NOTHING = Quirk()


def quirk_for(kind: CommandType, state: VehicleState) -> Quirk:
    """Returns the make's quirk for this command, given the vehicle's last reported state."""
    get_quirk = _RULES.get((make_key(state.vehicle.make), kind))
    return get_quirk(state) if get_quirk else NOTHING


def schedule_types(make: str) -> frozenset[str]:
    """Returns the types of charge schedules that the make supports; all types if the make is unknown."""
    return SCHEDULES.get(make_key(make), frozenset()) if make else frozenset(PARTS)


def _needs_charge(least: int, template: str) -> Callable[[VehicleState], Quirk]:
    """Rejects below a state of charge. If that is unknown, the command is possible, with a hint."""

    def get_quirk(state: VehicleState) -> Quirk:
        charge = state.value(catalogue.STATE_OF_CHARGE)
        text = _(template) % {"least": least}
        if charge is None:
            return Quirk(hint=text)
        if charge >= least:
            return NOTHING
        return Quirk(refusal=f"{text} {_('Current level: %(charge)d%%.') % {'charge': round(charge)}}")

    return get_quirk


def _hint(hint: str) -> Callable[[VehicleState], Quirk]:
    return lambda state: Quirk(hint=_(hint))


def _mercedes(kind: CommandType) -> Callable[[VehicleState], Quirk]:
    """Only EQ models are controlled, and they stop charging only above a state of charge that the model determines."""
    stop_large = _needs_charge(MERCEDES_LARGE_MIN_CHARGE, _MERCEDES_STOP)
    stop_others = _needs_charge(MERCEDES_MIN_CHARGE, _MERCEDES_STOP)

    def get_quirk(state: VehicleState) -> Quirk:
        model = state.vehicle.model.strip().upper()
        if not model.startswith("EQ"):
            return Quirk(hint=_(_MERCEDES_MODELS))
        if kind is not CommandType.STOP_CHARGE:
            return NOTHING
        return (stop_large if model.startswith(_MERCEDES_LARGE) else stop_others)(state)

    return get_quirk


_MERCEDES_STOP = gettext_noop("This Mercedes-Benz model stops charging only at %(least)d%% or above.")
_MERCEDES_MODELS = gettext_noop(
    "Mercedes-Benz accepts charging commands only for its EQ models. Others may reject this command."
)
_BMW_PLACE = gettext_noop(
    "In Europe, BMW and MINI accept charging commands only for AC charging, within about 200 m of the "
    "charging address that the driver entered when connecting the vehicle."
)
_BMW_STOPS = gettext_noop(
    "In Europe, BMW and MINI accept at most 80 commands to stop charging within 30 days, only for AC charging, "
    "and only within about 200 m of the charging address that the driver entered when connecting the vehicle."
)
_FORD_START = gettext_noop(
    "If the driver set a charge schedule for this place, the vehicle will charge to 100% after this command, "
    "regardless of its charge limit."
)
_VOLKSWAGEN_CHARGE = gettext_noop(
    "Volkswagen limits charging commands to protect the battery. After too many in a row, the vehicle "
    "accepts them again only once it has been driven."
)
_VOLKSWAGEN_LOCK = gettext_noop(
    "Some Volkswagen vehicles accept this command only after the owner's identity was verified at a dealership "
    "(Volkswagen Ident)."
)
_GM_CHARGE = _needs_charge(
    GM_MIN_CHARGE,
    gettext_noop("General Motors vehicles start and stop charging only at %(least)d%% or above."),
)
_RULES: Mapping[tuple[str, CommandType], Callable[[VehicleState], Quirk]] = {
    **{
        (make, kind): _GM_CHARGE
        for make in GM
        for kind in (CommandType.START_CHARGE, CommandType.STOP_CHARGE)
    },
    ("POLESTAR", CommandType.STOP_CHARGE): _needs_charge(
        POLESTAR_MIN_CHARGE, gettext_noop("Polestar vehicles stop charging only at %(least)d%% or above.")
    ),
    ("VOLVO", CommandType.UNLOCK): _hint(
        gettext_noop(
            "Someone must be next to this Volvo: about 10 seconds after the request, its hazard "
            "lights flash, and the trunk must be opened then. Otherwise the vehicle won't "
            "unlock."
        )
    ),
    **{
        ("MERCEDES_BENZ", kind): _mercedes(kind)
        for kind in (CommandType.START_CHARGE, CommandType.STOP_CHARGE)
    },
    # Documented for Europe only, and the vehicle's home country isn't known.
    **{(make, CommandType.START_CHARGE): _hint(_BMW_PLACE) for make in ("BMW", "MINI")},
    **{(make, CommandType.STOP_CHARGE): _hint(_BMW_STOPS) for make in ("BMW", "MINI")},
    **{(make, CommandType.START_CHARGE): _hint(_FORD_START) for make in ("FORD", "LINCOLN")},
    **{
        ("VOLKSWAGEN", kind): _hint(_VOLKSWAGEN_CHARGE)
        for kind in (CommandType.START_CHARGE, CommandType.STOP_CHARGE, CommandType.SET_CHARGE_LIMIT)
    },
    **{("VOLKSWAGEN", kind): _hint(_VOLKSWAGEN_LOCK) for kind in (CommandType.LOCK, CommandType.UNLOCK)},
    # Documented for the United States only, and the vehicle's home country isn't known.
    ("NISSAN", CommandType.STOP_CHARGE): _hint(
        gettext_noop(
            "In the United States, Nissan vehicles can only start charging; commands to stop are rejected."
        )
    ),
}
