"""Which of Smartcar's connections are adopted, and by which rule. Pure functions: no database and no network."""

from collections.abc import Collection, Iterable
from typing import Protocol, TypeVar

from smartcar_api import SharedVehicle
from vehicles.makes import make_key

MAKE = "TESLA"


class HasModel(Protocol):
    """A rule."""

    @property
    def model(self) -> str:
        """The model; "" for all models."""


Rule = TypeVar("Rule", bound=HasModel)


def is_adoptable(car: SharedVehicle, *, known: Collection[tuple[str, str]], drivers: Collection[str]) -> bool:
    """Whether Smartcar connected the vehicle by itself.

    `known` has the user and vehicle IDs of all our connections, `drivers` the user IDs of drivers who authorized here.
    An authorization here always has an external ID, so a connection that has one belongs to a driver.
    """
    return (
        make_key(car.make) == MAKE
        and bool(car.user_id and car.vehicle_id)
        and not car.external_id
        and (car.user_id, car.vehicle_id) not in known
        and car.user_id not in drivers
    )


def rule_for(model: str, rules: Iterable[Rule]) -> Rule | None:
    """Returns the rule with this model, or else the one for all models, or None."""
    by_model = {_letters(rule.model): rule for rule in rules}
    return by_model.get(_letters(model)) or by_model.get("")


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
