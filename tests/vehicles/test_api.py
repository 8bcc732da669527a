"""The read API: vehicles of the caller's fleets, by session and by token, and none of other fleets."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiToken, Fleet, Membership, Role, SmartcarApiVersion, User
from accounts.services import add_member, create_fleet
from accounts.tokens.services import issue_token, revoke_token
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.correction_notes import CorrectionNote
from vehicles.models import LatestSignal, Vehicle

BrowserOf = Callable[[User], Client]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
VEHICLES = "/api/v1/vehicles/"
MEMBERS = ["owner", "teammate", "viewer"]
SESSION, TOKEN = "session", "token"


def token_client(user: User, fleet: Fleet, **options: Any) -> Client:
    """Returns a client that sends the user's API token for the fleet, and no cookie."""
    member = Membership.objects.select_related("user", "fleet").get(user=user, fleet=fleet)
    secret = issue_token(membership=member, name="Test", **options).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def caller(user: User, fleet: Fleet, by: str, browser_of: BrowserOf) -> Client:
    return browser_of(user) if by == SESSION else token_client(user, fleet)


def create_signal(vehicle: Vehicle, signal: Signal, value: Any, **fields: Any) -> LatestSignal:
    body = {"value": value} | ({"unit": signal.unit.value} if signal.unit else {})
    about = {"body": body, "status": "SUCCESS", "observed_at": NOON, "reported_at": NOON} | fields
    return LatestSignal.objects.create(vehicle=vehicle, code=signal.code, **about)


def paths(vehicle: Vehicle) -> list[str]:
    base = f"{VEHICLES}{vehicle.smartcar_id}/"
    return [base, f"{base}signals/", f"{base}signals/{catalogue.STATE_OF_CHARGE.code}/history/"]


@pytest.mark.parametrize("by", [SESSION, TOKEN])
@pytest.mark.parametrize("person", MEMBERS)
def test_member_reads_the_fleets_vehicles(
    request: pytest.FixtureRequest, person: str, by: str, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    client = caller(request.getfixturevalue(person), vehicle.fleet, by, browser_of)
    assert [car["id"] for car in client.get(VEHICLES).json()["results"]] == [vehicle.smartcar_id]
    assert [client.get(address).status_code for address in paths(vehicle)] == [200, 200, 200]


def test_outsider_gets_an_empty_list_and_404_for_a_vehicle(
    outsider: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    for client in (browser_of(outsider), token_client(outsider, Fleet.objects.get(slug="red"))):
        assert client.get(VEHICLES).json()["results"] == []
        assert client.get(VEHICLES, {"fleet": "blue"}).status_code == 404
        assert [client.get(address).status_code for address in paths(vehicle)] == [404, 404, 404]


def test_driver_sees_no_vehicles(driver: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    client = browser_of(driver)
    assert client.get(VEHICLES).json()["results"] == []
    assert client.get(VEHICLES, {"fleet": "blue"}).status_code == 403
    assert [client.get(address).status_code for address in paths(vehicle)] == [404, 404, 404]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer scf_nothing", "Bearer a b", "Basic eDp5", "Bearer ä"]
)
def test_requires_authentication(vehicle: Vehicle, header: str) -> None:
    client = Client(headers={"Authorization": header}) if header else Client()
    for address in (VEHICLES, *paths(vehicle)):
        answer = client.get(address)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_revoked_or_expired_token_has_no_access(owner: User, vehicle: Vehicle) -> None:
    revoked = token_client(owner, vehicle.fleet)
    assert revoked.get(VEHICLES).status_code == 200
    revoke_token(token=ApiToken.objects.get(), actor=owner)
    assert revoked.get(VEHICLES).status_code == 401
    expired = token_client(owner, vehicle.fleet, expires_at=timezone.now() - timedelta(seconds=1))
    answer = expired.get(VEHICLES)
    assert answer.status_code == 401
    assert "Invalid token" in answer.json()["detail"]


def test_token_has_the_current_permissions_of_its_user(viewer: User, vehicle: Vehicle) -> None:
    client = token_client(viewer, vehicle.fleet)
    add_member(fleet=vehicle.fleet, user=viewer, role=Role.DRIVER, actor=None)
    assert client.get(VEHICLES).status_code == 403
    Membership.objects.filter(user=viewer).delete()
    assert client.get(VEHICLES).status_code == 404


def test_token_has_access_to_its_own_fleet_only(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    second = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    Vehicle.objects.create(fleet=second, smartcar_id="green-car")
    client = token_client(owner, second)
    assert [car["id"] for car in client.get(VEHICLES).json()["results"]] == ["green-car"]
    assert client.get(VEHICLES, {"fleet": "blue"}).status_code == 404
    assert client.get(f"{VEHICLES}{vehicle.smartcar_id}/").status_code == 404
    assert client.get(f"{VEHICLES}{vehicle.smartcar_id}/", {"fleet": "blue"}).status_code == 404


def test_vehicle_in_two_of_the_callers_fleets_requires_the_fleet(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    second = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    Vehicle.objects.create(fleet=second, smartcar_id=vehicle.smartcar_id, name="Van as Green knows it")
    browser = browser_of(owner)
    assert {car["fleet"] for car in browser.get(VEHICLES).json()["results"]} == {"blue", "green"}
    for address in paths(vehicle):
        answer = browser.get(address)
        assert answer.status_code == 409
        assert "?fleet=blue or ?fleet=green" in answer.json()["detail"]
        assert browser.get(address, {"fleet": "green"}).json()["fleet"] == "green"
    assert token_client(owner, second).get(paths(vehicle)[0]).json()["name"] == "Van as Green knows it"


def test_vehicle_contains_neither_vin_nor_key(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    answer = browser_of(owner).get(paths(vehicle)[0]).json()
    assert answer == {
        "id": vehicle.smartcar_id,
        "fleet": "blue",
        "name": "Van 1",
        "plate": "",
        "make": "TESLA",
        "model": "Model 3",
        "year": 2022,
        "powertrain": "",
        "mode": "",
        "last_seen_at": None,
    }


def test_signal_contains_unit_times_and_error(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    create_signal(
        vehicle,
        catalogue.STATE_OF_CHARGE,
        61,
        oem_updated_at=NOON,
        notes=[CorrectionNote.FRACTION_CONVERTED.note(), CorrectionNote.UNIT_ASSUMED.note(unit="km")],
    )
    create_signal(
        vehicle, catalogue.ODOMETER, 100, status="ERROR", error_type="PERMISSION", error_description="No."
    )
    address = paths(vehicle)[1]
    odometer, charge = browser_of(owner).get(address).json()["signals"]
    assert (charge["value"], charge["unit"], charge["title"]) == (61, "percent", "State of charge")
    assert charge["observed_at"] == charge["oem_updated_at"] == "2026-11-20T12:00:00+00:00"
    assert charge["status"] == "SUCCESS"
    assert charge["error"] is None
    assert charge["notes"] == [
        "A fraction was converted to a percentage.",
        "The unit was missing; km was assumed.",
    ]
    assert odometer["value"] == 100
    assert odometer["error"]["type"] == "PERMISSION"
    assert "granted" in odometer["error"]["explanation"]
    filtered = browser_of(owner).get(address, {"codes": catalogue.ODOMETER.code}).json()["signals"]
    assert [signal["code"] for signal in filtered] == [catalogue.ODOMETER.code]


def test_notes_and_rejection_reasons_are_in_english(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    reason = CorrectionNote.OUT_OF_RANGE.note(value=65535, low=0, high=3000, unit="km")
    create_signal(
        vehicle,
        catalogue.RANGE,
        100,
        status="ERROR",
        error_type="REFUSED",
        error_description=reason,
        notes=[CorrectionNote.NUMBER_SENT_AS_TEXT.note(), "a note of an old version"],
    )
    answer = browser_of(owner).get(paths(vehicle)[1], headers={"accept-language": "de"})
    (signal,) = answer.json()["signals"]
    assert signal["notes"] == ["The number was sent as text.", "a note of an old version"]
    assert signal["error"]["type"] == "REFUSED"
    assert signal["error"]["description"] == ("65,535 km is outside of the plausible range from 0 to 3,000.")


def test_signals_are_returned_in_the_requested_units(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    create_signal(vehicle, catalogue.ODOMETER, 160.9344)
    body = {"values": [{"row": 0, "column": 0, "tirePressure": 250}], "unit": "kPa"}
    create_signal(vehicle, catalogue.TIRES, None, body=body)
    browser, address = browser_of(owner), paths(vehicle)[1]
    signals_by_units = {
        units: browser.get(address, {"units": units}).json()["signals"]
        for units in ("storage", "metric", "imperial")
    }
    assert [signals_by_units[units][0]["value"] for units in signals_by_units] == [160.9344, 160.9344, 100]
    assert [signals_by_units[units][0]["body"]["unit"] for units in signals_by_units] == ["km", "km", "mi"]
    assert [
        signals_by_units[units][1]["body"]["values"][0]["tirePressure"] for units in signals_by_units
    ] == [250, 2.5, 36.2594]
    assert [signals_by_units[units][1]["unit"] for units in signals_by_units] == ["kPa", "bar", "psi"]


def test_unknown_code_is_returned_unchanged(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    LatestSignal.objects.create(
        vehicle=vehicle, code="future-thing", body={"value": "x"}, status="SUCCESS", reported_at=NOON
    )
    (signal,) = browser_of(owner).get(paths(vehicle)[1], {"units": "imperial"}).json()["signals"]
    assert (signal["title"], signal["value"], signal["unit"]) == ("future-thing", "x", None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Atlas", "Bolt", "Cargo"]),
        ({"ordering": "-name"}, ["Cargo", "Bolt", "Atlas"]),
        ({"ordering": "-last_seen_at"}, ["Bolt", "Atlas", "Cargo"]),
        ({"ordering": "last_seen_at"}, ["Cargo", "Atlas", "Bolt"]),
        ({"make": "tesla"}, ["Atlas"]),
        ({"search": "bo kia"}, ["Bolt"]),
        ({"heard_after": "2026-11-20T12:00:00Z"}, ["Bolt"]),
        ({"heard_before": "2026-11-20T12:30:00Z"}, ["Atlas", "Cargo"]),
        ({"charging": "true"}, ["Atlas"]),
        ({"charging": "false"}, ["Bolt"]),
        ({"locked": "false"}, ["Bolt"]),
        ({"charge_below": "20"}, ["Bolt"]),
        ({"fleet": "blue", "mode": "live"}, ["Cargo"]),
        ({"page_size": "2", "page": "2"}, ["Cargo"]),
    ],
)
def test_vehicles_can_be_filtered_and_ordered(
    owner: User, fleet: Fleet, browser_of: BrowserOf, query: dict[str, str], expected: list[str]
) -> None:
    first = Vehicle.objects.create(
        fleet=fleet, smartcar_id="a", name="Atlas", make="TESLA", last_seen_at=NOON
    )
    later = NOON + timedelta(hours=1)
    second = Vehicle.objects.create(fleet=fleet, smartcar_id="b", name="Bolt", make="KIA", last_seen_at=later)
    Vehicle.objects.create(fleet=fleet, smartcar_id="c", name="Cargo", make="FORD", mode="live")
    recent = {"observed_at": timezone.now() - timedelta(minutes=5)}
    for car, charging, charge in ((first, True, 20), (second, False, 19)):
        create_signal(car, catalogue.IS_CHARGING, charging, **recent)
        create_signal(car, catalogue.IS_LOCKED, charging, **recent)
        create_signal(car, catalogue.STATE_OF_CHARGE, charge)
    assert [car["name"] for car in browser_of(owner).get(VEHICLES, query).json()["results"]] == expected


@pytest.mark.parametrize("value", ["true", "false"])
@pytest.mark.parametrize(
    ("age", "fields"),
    [(timedelta(days=5), {}), (timedelta(minutes=5), {"status": "ERROR", "error_type": "VEHICLE_STATE"})],
)
def test_a_state_that_is_old_or_failed_since_matches_no_filter(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, value: str, age: timedelta, fields: dict[str, str]
) -> None:
    for signal in (catalogue.IS_CHARGING, catalogue.IS_LOCKED):
        create_signal(vehicle, signal, value == "true", observed_at=timezone.now() - age, **fields)
    browser = browser_of(owner)
    assert browser.get(VEHICLES, {"charging": value}).json()["results"] == []
    assert browser.get(VEHICLES, {"locked": value}).json()["results"] == []
    signals = browser.get(f"{VEHICLES}{vehicle.smartcar_id}/signals/").json()["signals"]
    assert [(each["value"], each["is_current"]) for each in signals] == [(value == "true", False)] * 2


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"flet": "blue"}, "flet"),
        ({"ordering": "vin"}, "ordering"),
        ({"heard_after": "yesterday"}, "heard_after"),
        ({"charge_below": "nan"}, "charge_below"),
        ({"charging": "perhaps"}, "charging"),
        ({"search": "\x00"}, "search"),
        ({"fleet": "a b"}, "fleet"),
    ],
)
def test_invalid_parameter_is_rejected_by_name(
    owner: User, fleet: Fleet, browser_of: BrowserOf, query: dict[str, str], named: str
) -> None:
    answer = browser_of(owner).get(VEHICLES, query)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert list(answer.json()["errors"]) == [named]


def test_number_of_queries_does_not_grow_with_vehicles(
    owner: User, fleet: Fleet, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Vehicle.objects.bulk_create(Vehicle(fleet=fleet, smartcar_id=f"car-{number}") for number in range(30))
    browser = browser_of(owner)
    with django_assert_num_queries(4):  # session, user, count, vehicles
        assert browser.get(VEHICLES).json()["count"] == 30
    client = token_client(owner, fleet)
    client.get(VEHICLES)
    with django_assert_num_queries(4):  # token, membership, count, vehicles
        client.get(VEHICLES)


def test_unchanged_response_returns_304(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    create_signal(vehicle, catalogue.STATE_OF_CHARGE, 61)
    browser, address = browser_of(owner), paths(vehicle)[1]
    tag = browser.get(address).headers["ETag"]
    assert browser.get(address, headers={"If-None-Match": tag}).status_code == 304
    LatestSignal.objects.update(body={"value": 60, "unit": "percent"})
    assert browser.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_response_is_not_cached_by_shared_caches(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    headers = browser_of(owner).get(VEHICLES).headers
    assert "private" in headers["Cache-Control"]


@pytest.mark.parametrize(
    "address", ["/api/", "/api/v1/nothing/", "/api/v1/vehicles/a%00b/", "/api/v2/vehicles/"]
)
def test_unknown_path_returns_json(owner: User, browser_of: BrowserOf, address: str) -> None:
    answer = browser_of(owner).get(address)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_api_is_read_only(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    for address in (VEHICLES, *paths(vehicle)):
        for method in (browser.post, browser.put, browser.patch, browser.delete, browser.options):
            assert method(address).status_code == 405
