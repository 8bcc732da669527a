"""What single makes do differently with commands (Smartcar documentation: "Brand Quirks", "Start & Stop Charge",
"Charge schedules"). No database.

A limit that the maker sets is a refusal while the car's own word says that it holds; a way of doing it is a hint.
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
"""The types of charge schedules that a make's cars take; others take none."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """Why the make would not do it, or what to know before asking; each empty if there is nothing."""

    refusal: str = ""
    hint: str = ""


NOTHING = Quirk()


def quirk_for(kind: CommandType, state: VehicleState) -> Quirk:
    """What the car's make says to this command, in the state that the car last told."""
    rule = _RULES.get((make_key(state.vehicle.make), kind))
    return rule(state) if rule else NOTHING


def schedule_types(make: str) -> frozenset[str]:
    """The types of charge schedules that cars of this make take; all of them while the make is not known."""
    return SCHEDULES.get(make_key(make), frozenset()) if make else frozenset(PARTS)


def _needs_charge(least: int, words: str) -> Callable[[VehicleState], Quirk]:
    """Refused below a state of charge; where it is not known the car may be asked, with the words as a hint."""

    def rule(state: VehicleState) -> Quirk:
        charge = state.value(catalogue.STATE_OF_CHARGE)
        said = _(words) % {"least": least}
        if charge is None:
            return Quirk(hint=said)
        if charge >= least:
            return NOTHING
        return Quirk(refusal=f"{said} {_('The car says %(charge)d %%.') % {'charge': round(charge)}}")

    return rule


def _always(hint: str) -> Callable[[VehicleState], Quirk]:
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
    ("VOLVO", CommandType.UNLOCK): _always(
        gettext_noop(
            "Someone must be next to this Volvo: about 10 seconds after the request, its hazard "
            "lights flash, and the trunk must be opened then. Otherwise the vehicle won't "
            "unlock."
        )
    ),
    # Documented for the United States only, and where a car is at home is not ours to know.
    ("NISSAN", CommandType.STOP_CHARGE): _always(
        gettext_noop(
            "In the United States, Nissan vehicles can only start charging; commands to stop are rejected."
        )
    ),
}
