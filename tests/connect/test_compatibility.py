"""Checking a vehicle before its driver is invited, and the page "What can my fleet know?"."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Fleet, User
from connect.compatibility import lookup, regions, services
from connect.compatibility.assessment import Verdict, assess_models, matching_models
from connect.compatibility.limits import limits_of
from connect.coverage.selectors import (
    OBSTACLES,
    Obstacle,
    VehicleFacts,
    cell_for,
    fleet_coverage,
    obstacle,
)
from connect.models import ConnectionState
from connect.permission_settings import services as permission_settings
from connect.permission_settings.reports import Report, get_report
from connect.scopes import FLEET_SCOPES
from smartcar_api import CompatibleModel, SmartcarError
from tests.connect.test_bulk_requests import shared
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/connections/compatibility/"
COVERAGE = "/fleets/blue/connections/coverage/"


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def model(name: str = "Model 3", **fields: Any) -> CompatibleModel:
    defaults: dict[str, Any] = {
        "make": "TESLA",
        "region": "US",
        "powertrain": "BEV",
        "first_year": 2017,
        "last_year": 2025,
        "signals": {catalogue.ODOMETER.code: "read_odometer", catalogue.SPEED.code: "read_speedometer"},
        "commands": frozenset({"security-lock", "security-unlock"}),
    }
    return CompatibleModel(model=name, **(defaults | fields))


def report(code: str) -> Report:
    found = get_report(code)
    assert found is not None
    return found


def facts(**fields: Any) -> VehicleFacts:
    defaults: dict[str, Any] = {
        "powertrain": "BEV",
        "models": (model(),),
        "granted": frozenset(FLEET_SCOPES),
        "reported": frozenset(),
        "denied": frozenset(),
    }
    return VehicleFacts(**(defaults | fields))


# Rules


@pytest.mark.parametrize(
    ("name", "year", "found"),
    [
        ("Model 3", 2022, True),
        ("model3", 2022, True),
        ("MODEL 3 Long Range", 2025, True),
        ("Model", None, True),
        ("", None, True),
        ("Model 3", 2016, False),
        ("Model 3", 2026, False),
        ("Model Y", 2022, False),
        ("3", 2022, False),
    ],
)
def test_models_match_by_name_and_year(name: str, year: int | None, found: bool) -> None:
    assert bool(matching_models([model()], model=name, year=year)) == found


def test_a_report_is_possible_in_part_or_not_at_all() -> None:
    verdicts = {each.report.code: each.verdict for each in assess_models([model()])}
    assert verdicts["odometer"] is Verdict.YES
    assert verdicts["driving"] is Verdict.PARTLY
    assert verdicts["location"] is Verdict.NO
    assert verdicts["fuel"] is Verdict.NOT_APPLICABLE
    assert verdicts["lock_command"] is Verdict.YES
    assert {each.verdict for each in assess_models([])} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("code", "fields", "expected"),
    [
        ("odometer", {"reported": frozenset({catalogue.ODOMETER.code})}, None),
        # What arrived counts more than the list.
        ("location", {"reported": frozenset({catalogue.PRECISE_LOCATION.code})}, None),
        ("location", {}, Obstacle.UNSUPPORTED),
        ("location", {"models": ()}, Obstacle.NO_DATA),
        ("odometer", {}, Obstacle.NO_DATA),
        ("odometer", {"denied": frozenset({catalogue.ODOMETER.code})}, Obstacle.PLAN),
        ("odometer", {"granted": frozenset({"read_vin"})}, Obstacle.NOT_GRANTED),
        ("oil", {"models": (), "powertrain": "PHEV"}, Obstacle.NOT_REQUESTED),
        ("oil", {"models": (), "powertrain": "PHEV", "granted": None}, Obstacle.NOT_REQUESTED),
        ("lock_command", {}, None),
        ("lock_command", {"granted": frozenset({"read_vin"})}, Obstacle.NOT_GRANTED),
        ("charge_command", {}, Obstacle.UNSUPPORTED),
    ],
)
def test_the_first_obstacle_is_named(code: str, fields: dict[str, Any], expected: Obstacle | None) -> None:
    assert obstacle(report(code), facts(**fields), requested=FLEET_SCOPES) is expected


def test_a_cell_sums_up_the_vehicles_of_a_make() -> None:
    reporting = facts(reported=frozenset({catalogue.ODOMETER.code}))
    cell = cell_for(report("odometer"), [reporting, facts(), facts()], requested=FLEET_SCOPES)
    assert (cell.verdict, cell.available, cell.total) == (Verdict.PARTLY, 1, 3)
    assert cell.obstacles == [(OBSTACLES[Obstacle.NO_DATA], 2)]
    assert cell_for(report("odometer"), [reporting], requested=()).verdict is Verdict.YES
    assert cell_for(report("odometer"), [facts()], requested=FLEET_SCOPES).verdict is Verdict.NO
    assert cell_for(report("fuel"), [facts()], requested=FLEET_SCOPES).verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("Europe/Berlin", "EUROPE"),
        ("Atlantic/Canary", "EUROPE"),
        ("America/Toronto", "CA"),
        ("America/New_York", "US"),
        ("Asia/Tokyo", "US"),
        ("UTC", "US"),
    ],
)
def test_the_region_follows_the_time_zone(zone: str, region: str) -> None:
    assert regions.region_of(zone) == region


def test_limits_are_known_by_make() -> None:
    assert len(limits_of("tesla")) == 2
    assert limits_of("Land Rover") == ()


# Against the simulator


def test_an_answer_is_kept_for_a_day(smartcar: str, fleet: Fleet) -> None:
    httpx.delete(f"{smartcar}/control/requests").raise_for_status()
    for _ in range(3):
        services.check_by_model(fleet=fleet, make="Tesla", model="Model 3", year=2022, region="US")
    requests = httpx.get(f"{smartcar}/control/requests", params={"path": "compatible-vehicles"}).json()
    assert len(requests["requests"]) == 1


def test_no_vin_is_kept_in_the_cache(smartcar: str, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    monkeypatch.setattr(cache, "set", lambda key, value, timeout: kept.extend((key, repr(value))))
    vin = httpx.get(f"{smartcar}/control/vehicles").json()["vehicles"][0]["vin"]
    assert services.check_by_vin(fleet=fleet, vin=vin).compatible
    assert kept
    assert vin not in "".join(kept)


def test_a_model_is_compatible_for_the_reports_it_has(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    data = {"make": "tesla", "model": "Model 3", "year": "2022", "region": "US"}
    page = browser_of(owner).post(PAGE, data)
    answer = page.context["answer"]
    assert answer.compatible
    verdicts = {each.report.code: each.verdict for each in answer.reports}
    assert verdicts["location"] is Verdict.YES
    assert "fuel" not in verdicts
    assert "read_climate" in {scope.name for scope in answer.unrequested}
    text = page.content.decode()
    assert "Probably compatible" in text
    assert "virtual key" in text
    assert "at least every 5 minutes" in text


def test_a_vehicle_that_is_not_listed_is_explained(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    data = {"make": "Trabant", "model": "601", "region": "EUROPE"}
    text = browser_of(owner).post(PAGE, data).content.decode()
    assert "Not compatible" in text
    assert "no such vehicle for this region" in text


def test_a_vin_is_checked_without_appearing_in_an_address(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    found = httpx.get(f"{smartcar}/control/vehicles", params={"make": "FORD"}).json()["vehicles"][0]
    page = browser_of(owner).post(PAGE, {"vin": found["vin"].lower()})
    verdicts = {each.report.code: each.verdict for each in page.context["answer"].reports}
    assert verdicts["odometer"] is Verdict.YES
    assert verdicts["driving"] is Verdict.UNKNOWN
    assert 'method="post"' in page.content.decode()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"vin": "123"},
        {"vin": "5YJ3E1EA7KF00000I"},
        {"make": "KIA", "year": "20x"},
        {"make": "KIA", "region": "MARS"},
    ],
)
def test_an_invalid_form_is_explained(
    fleet: Fleet, owner: User, browser_of: BrowserOf, data: dict[str, str]
) -> None:
    page = browser_of(owner).post(PAGE, data)
    assert page.status_code == 400
    assert page.context["form"].errors


def test_an_answer_that_smartcar_refuses_is_explained_and_not_kept(
    fleet: Fleet, owner: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise SmartcarError(type="PERMISSION")

    monkeypatch.setattr(lookup, "check_vin", refuse)
    text = browser_of(owner).post(PAGE, {"vin": "5YJ3E1EA7KF000001"}).content.decode()
    assert "Enterprise plan" in text
    assert "couldn" in text


def test_the_coverage_names_what_each_make_lacks(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    tesla = shared(fleet, "ann").vehicle
    shared(fleet, "bob", make="FORD", scopes=["read_vehicle_info"])
    shared(fleet, "gone", make="VOLVO", state=ConnectionState.REVOKED)
    Vehicle.objects.filter(pk=tesla.pk).update(model="Model 3", year=2022, powertrain="BEV")
    LatestSignal.objects.create(
        vehicle=tesla,
        code=catalogue.ODOMETER.code,
        body={"value": 5},
        status="SUCCESS",
        reported_at=tesla.created_at,
    )
    coverage = fleet_coverage(fleet=fleet, region="US")
    assert [(each.name, each.vehicles, each.listed) for each in coverage.makes] == [
        ("Ford", 1, True),
        ("Tesla", 1, True),
    ]
    rows = {row.report.code: [cell for _, cell in row.cells] for row in coverage.rows}
    assert [cell.verdict for cell in rows["odometer"]] == [Verdict.NO, Verdict.YES]
    assert rows["odometer"][0].obstacles == [("permission not granted", 1)]
    assert rows["climate"][1].obstacles == [("permission not requested", 1)]
    assert rows["fuel"][1].verdict is Verdict.NOT_APPLICABLE
    permission_settings.choose_scopes(fleet=fleet, scopes=[*FLEET_SCOPES, "read_climate"], actor=owner)
    page = browser_of(owner).get(COVERAGE, {"region": "US"}).content.decode()
    assert "updated at least every 10 min" in page
    assert "permission not granted" in page


def test_without_smartcars_list_the_page_shows_what_is_known(
    fleet: Fleet, owner: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise SmartcarError(type="UPSTREAM")

    monkeypatch.setattr(lookup, "compatible_models", fail)
    shared(fleet, "ann")
    page = browser_of(owner).get(COVERAGE).content.decode()
    assert "no data so far" in page
    assert "list for Tesla isn" in page


@pytest.mark.parametrize("address", [PAGE, COVERAGE])
@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owners_and_managers_see_the_pages(
    request: pytest.FixtureRequest,
    fleet: Fleet,
    browser_of: BrowserOf,
    address: str,
    person: str,
    status: int,
) -> None:
    assert browser_of(request.getfixturevalue(person)).get(address).status_code == status
