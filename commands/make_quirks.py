"""What individual makes do differently with commands. No database access.

Sources in Smartcar's documentation: "Brand Quirks", "Start & Stop Charge", "Charge schedules". A manufacturer's limit
rejects a command if the vehicle's own data shows that it applies; a special procedure is a hint.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commands.types import CommandType
from smartcar_api.schedules import PARTS
from vehicles import catalogue
from vehicles.makes import make_key
from vehicles.selectors import VehicleState

GM = frozenset({"BUICK", "CADILLAC", "CHEVROLET", "GMC"})
GM_MIN_CHARGE = 50
POLESTAR_MIN_CHARGE = 40
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
    # Documented for the United States only, and the vehicle's home country isn't known.
    ("NISSAN", CommandType.STOP_CHARGE): _hint(
        gettext_noop(
            "In the United States, Nissan vehicles can only start charging; commands to stop are rejected."
        )
    ),
}
