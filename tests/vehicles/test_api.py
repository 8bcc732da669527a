"""The read API: cars of the caller's fleets, nothing of others."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts.models import User
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle

BrowserOf = Callable[[User], Client]


@pytest.mark.parametrize("person", ["owner", "teammate", "viewer"])
def test_a_member_lists_the_fleets_cars(
    request: pytest.FixtureRequest, person: str, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    answer = browser_of(request.getfixturevalue(person)).get("/api/v1/vehicles/").json()
    assert [car["id"] for car in answer["results"]] == [vehicle.smartcar_id]


def test_an_outsider_lists_none_of_them_and_gets_404_for_one(
    outsider: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(outsider)
    assert browser.get("/api/v1/vehicles/").json()["results"] == []
    assert browser.get(f"/api/v1/vehicles/{vehicle.smartcar_id}/").status_code == 404


def test_a_driver_sees_no_cars(driver: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    assert browser_of(driver).get("/api/v1/vehicles/").json()["results"] == []


def test_nobody_gets_anything_unsigned(db: None) -> None:
    assert Client().get("/api/v1/vehicles/").status_code == 403


def test_a_car_comes_with_its_signals(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    LatestSignal.objects.create(
        vehicle=vehicle,
        code=catalogue.STATE_OF_CHARGE.code,
        body={"value": 61, "unit": "percent"},
        observed_at=at,
        reported_at=at,
        status="SUCCESS",
    )
    answer = browser_of(owner).get(f"/api/v1/vehicles/{vehicle.smartcar_id}/").json()
    assert answer["signals"][catalogue.STATE_OF_CHARGE.code]["body"] == {"value": 61, "unit": "percent"}
    assert "vin" not in answer
