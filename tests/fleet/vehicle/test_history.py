"""The vehicle page's chart: which signals, in whose units, and gaps where nothing is known."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Fleet, UnitSystem, User
from tests.vehicles.readings import read
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
HOUR = timedelta(hours=1)


def chart(
    browser: Client, vehicle: Vehicle, signal: Signal = catalogue.STATE_OF_CHARGE, *, hours: int = 24
) -> dict[str, Any]:
    answer = browser.get(
        f"/fleets/blue/vehicles/{vehicle.smartcar_id}/history/{signal.code}/", {"hours": hours}
    )
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def test_a_line_ends_where_a_value_was_too_old_to_be_true(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    """A charge is good for 12 hours."""
    now = timezone.now()
    read(vehicle, [(now - 40 * HOUR, 80), (now - 30 * HOUR, 70), (now - 2 * HOUR, 40), (now - HOUR, 39)])
    drawn = chart(browser_of(owner), vehicle, hours=48)
    assert drawn["values"] == [80, 70, None, 40, 39]
    assert all(before < after for before, after in pairwise(drawn["times"]))
    assert (drawn["label"], drawn["unit"]) == ("State of charge", "%")


def test_numbers_are_in_the_fleets_units(
    owner: User, fleet: Fleet, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(unit_system=UnitSystem.IMPERIAL)
    read(vehicle, [(timezone.now() - HOUR, 160.9344)], signal=catalogue.ODOMETER)
    drawn = chart(browser_of(owner), vehicle, catalogue.ODOMETER)
    assert (drawn["values"], drawn["unit"]) == ([100], "mi")


def test_years_are_thinned_out_and_the_peak_stays(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    now = timezone.now()
    values = [(now - HOUR * place, 99 if place == 4321 else place % 50) for place in range(1, 8000, 2)]
    read(vehicle, values)
    drawn = chart(browser_of(owner), vehicle, hours=8784)
    assert len(drawn["values"]) <= 600
    assert max(value for value in drawn["values"] if value is not None) == 99


def test_the_page_offers_the_cars_numbers_the_charge_first(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    address = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/history/"
    assert "has not reported a number yet" in browser.get(address).content.decode()
    for signal, value in (
        (catalogue.ODOMETER, 100),
        (catalogue.STATE_OF_CHARGE, 50),
        (catalogue.IS_LOCKED, True),
    ):
        LatestSignal.objects.create(
            vehicle=vehicle,
            code=signal.code,
            body={"value": value},
            status="SUCCESS",
            observed_at=timezone.now(),
            reported_at=timezone.now(),
        )
    offered = browser.get(address).context["charts"]
    assert offered == [catalogue.STATE_OF_CHARGE, catalogue.ODOMETER]


def test_who_may_see_the_history(
    owner: User,
    teammate: User,
    viewer: User,
    driver: User,
    outsider: User,
    vehicle: Vehicle,
    browser_of: BrowserOf,
) -> None:
    address = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/history/{catalogue.STATE_OF_CHARGE.code}/"
    for user, status in ((owner, 200), (teammate, 200), (viewer, 200), (driver, 403), (outsider, 404)):
        assert browser_of(user).get(address).status_code == status
    assert Client().get(address).status_code == 302
