"""The read API: cars of the caller's fleets by session and by token, nothing of others."""

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
CARS = "/api/v1/vehicles/"
MEMBERS = ["owner", "teammate", "viewer"]
SESSION, TOKEN = "session", "token"


def token_client(user: User, fleet: Fleet, **options: Any) -> Client:
    """A client that sends a token of the user's for the fleet, and no cookie."""
    member = Membership.objects.select_related("user", "fleet").get(user=user, fleet=fleet)
    secret = issue_token(membership=member, name="Test", **options).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def caller(user: User, fleet: Fleet, by: str, browser_of: BrowserOf) -> Client:
    return browser_of(user) if by == SESSION else token_client(user, fleet)


def report(vehicle: Vehicle, signal: Signal, value: Any, **fields: Any) -> LatestSignal:
    body = {"value": value} | ({"unit": signal.unit.value} if signal.unit else {})
    about = {"body": body, "status": "SUCCESS", "observed_at": NOON, "reported_at": NOON} | fields
    return LatestSignal.objects.create(vehicle=vehicle, code=signal.code, **about)


def addresses(vehicle: Vehicle) -> list[str]:
    car = f"{CARS}{vehicle.smartcar_id}/"
    return [car, f"{car}signals/", f"{car}signals/{catalogue.STATE_OF_CHARGE.code}/history/"]


@pytest.mark.parametrize("by", [SESSION, TOKEN])
@pytest.mark.parametrize("person", MEMBERS)
def test_a_member_reads_the_fleets_cars(
    request: pytest.FixtureRequest, person: str, by: str, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    client = caller(request.getfixturevalue(person), vehicle.fleet, by, browser_of)
    assert [car["id"] for car in client.get(CARS).json()["results"]] == [vehicle.smartcar_id]
    assert [client.get(address).status_code for address in addresses(vehicle)] == [200, 200, 200]


def test_an_outsider_lists_none_of_them_and_gets_404_for_one(
    outsider: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    for client in (browser_of(outsider), token_client(outsider, Fleet.objects.get(slug="red"))):
        assert client.get(CARS).json()["results"] == []
        assert client.get(CARS, {"fleet": "blue"}).status_code == 404
        assert [client.get(address).status_code for address in addresses(vehicle)] == [404, 404, 404]


def test_a_driver_sees_no_cars(driver: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    client = browser_of(driver)
    assert client.get(CARS).json()["results"] == []
    assert client.get(CARS, {"fleet": "blue"}).status_code == 403
    assert [client.get(address).status_code for address in addresses(vehicle)] == [404, 404, 404]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer scf_nothing", "Bearer a b", "Basic eDp5", "Bearer ä"]
)
def test_nobody_gets_anything_unsigned(vehicle: Vehicle, header: str) -> None:
    client = Client(headers={"Authorization": header}) if header else Client()
    for address in (CARS, *addresses(vehicle)):
        answer = client.get(address)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_revoked_and_an_expired_token_open_nothing(owner: User, vehicle: Vehicle) -> None:
    revoked = token_client(owner, vehicle.fleet)
    assert revoked.get(CARS).status_code == 200
    revoke_token(token=ApiToken.objects.get(), actor=owner)
    assert revoked.get(CARS).status_code == 401
    expired = token_client(owner, vehicle.fleet, expires_at=timezone.now() - timedelta(seconds=1))
    answer = expired.get(CARS)
    assert answer.status_code == 401
    assert "opens nothing" in answer.json()["detail"]


def test_a_token_can_do_what_its_owner_may_do_now(viewer: User, vehicle: Vehicle) -> None:
    client = token_client(viewer, vehicle.fleet)
    add_member(fleet=vehicle.fleet, user=viewer, role=Role.DRIVER, actor=None)
    assert client.get(CARS).status_code == 403
    Membership.objects.filter(user=viewer).delete()
    assert client.get(CARS).status_code == 404


def test_a_token_reaches_its_own_fleet_only(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    second = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    Vehicle.objects.create(fleet=second, smartcar_id="green-car")
    client = token_client(owner, second)
    assert [car["id"] for car in client.get(CARS).json()["results"]] == ["green-car"]
    assert client.get(CARS, {"fleet": "blue"}).status_code == 404
    assert client.get(f"{CARS}{vehicle.smartcar_id}/").status_code == 404
    assert client.get(f"{CARS}{vehicle.smartcar_id}/", {"fleet": "blue"}).status_code == 404


def test_a_car_in_two_of_the_callers_fleets_has_to_be_named_with_its_fleet(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    second = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    Vehicle.objects.create(fleet=second, smartcar_id=vehicle.smartcar_id, name="Van as Green knows it")
    browser = browser_of(owner)
    assert {car["fleet"] for car in browser.get(CARS).json()["results"]} == {"blue", "green"}
    for address in addresses(vehicle):
        answer = browser.get(address)
        assert answer.status_code == 409
        assert "?fleet=blue or ?fleet=green" in answer.json()["detail"]
        assert browser.get(address, {"fleet": "green"}).json()["fleet"] == "green"
    assert token_client(owner, second).get(addresses(vehicle)[0]).json()["name"] == "Van as Green knows it"


def test_a_car_tells_neither_vin_nor_key(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    answer = browser_of(owner).get(addresses(vehicle)[0]).json()
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


def test_a_signal_comes_with_unit_ages_and_trouble(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    report(
        vehicle,
        catalogue.STATE_OF_CHARGE,
        61,
        oem_updated_at=NOON,
        notes=[CorrectionNote.FRACTION_CONVERTED.note(), CorrectionNote.UNIT_ASSUMED.note(unit="km")],
    )
    report(vehicle, catalogue.ODOMETER, 100, status="ERROR", error_type="PERMISSION", error_description="No.")
    address = addresses(vehicle)[1]
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
    chosen = browser_of(owner).get(address, {"codes": catalogue.ODOMETER.code}).json()["signals"]
    assert [signal["code"] for signal in chosen] == [catalogue.ODOMETER.code]


def test_notes_and_why_a_value_was_rejected_are_in_english(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    reason = CorrectionNote.OUT_OF_RANGE.note(value=65535, low=0, high=3000, unit="km")
    report(
        vehicle,
        catalogue.RANGE,
        100,
        status="ERROR",
        error_type="REFUSED",
        error_description=reason,
        notes=[CorrectionNote.NUMBER_SENT_AS_TEXT.note(), "a note of an old version"],
    )
    answer = browser_of(owner).get(addresses(vehicle)[1], headers={"accept-language": "de"})
    (signal,) = answer.json()["signals"]
    assert signal["notes"] == ["The number was sent as text.", "a note of an old version"]
    assert signal["error"]["type"] == "REFUSED"
    assert signal["error"]["description"] == ("65,535 km is outside of the plausible range from 0 to 3,000.")


def test_signals_come_in_the_units_asked_for(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    report(vehicle, catalogue.ODOMETER, 160.9344)
    body = {"values": [{"row": 0, "column": 0, "tirePressure": 250}], "unit": "kPa"}
    report(vehicle, catalogue.TIRES, None, body=body)
    browser, address = browser_of(owner), addresses(vehicle)[1]
    told = {
        units: browser.get(address, {"units": units}).json()["signals"]
        for units in ("storage", "metric", "imperial")
    }
    assert [told[units][0]["value"] for units in told] == [160.9344, 160.9344, 100]
    assert [told[units][0]["body"]["unit"] for units in told] == ["km", "km", "mi"]
    assert [told[units][1]["body"]["values"][0]["tirePressure"] for units in told] == [250, 2.5, 36.2594]
    assert [told[units][1]["unit"] for units in told] == ["kPa", "bar", "psi"]


def test_an_unknown_code_is_told_as_it_is(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    LatestSignal.objects.create(
        vehicle=vehicle, code="future-thing", body={"value": "x"}, status="SUCCESS", reported_at=NOON
    )
    (signal,) = browser_of(owner).get(addresses(vehicle)[1], {"units": "imperial"}).json()["signals"]
    assert (signal["title"], signal["value"], signal["unit"]) == ("future-thing", "x", None)


@pytest.mark.parametrize(
    ("question", "found"),
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
def test_cars_are_found_and_put_in_order(
    owner: User, fleet: Fleet, browser_of: BrowserOf, question: dict[str, str], found: list[str]
) -> None:
    first = Vehicle.objects.create(
        fleet=fleet, smartcar_id="a", name="Atlas", make="TESLA", last_seen_at=NOON
    )
    later = NOON + timedelta(hours=1)
    second = Vehicle.objects.create(fleet=fleet, smartcar_id="b", name="Bolt", make="KIA", last_seen_at=later)
    Vehicle.objects.create(fleet=fleet, smartcar_id="c", name="Cargo", make="FORD", mode="live")
    for car, charging, charge in ((first, True, 20), (second, False, 19)):
        report(car, catalogue.IS_CHARGING, charging)
        report(car, catalogue.IS_LOCKED, charging)
        report(car, catalogue.STATE_OF_CHARGE, charge)
    assert [car["name"] for car in browser_of(owner).get(CARS, question).json()["results"]] == found


@pytest.mark.parametrize(
    ("question", "named"),
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
def test_what_cannot_be_understood_is_refused_by_name(
    owner: User, fleet: Fleet, browser_of: BrowserOf, question: dict[str, str], named: str
) -> None:
    answer = browser_of(owner).get(CARS, question)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert list(answer.json()["errors"]) == [named]


def test_more_cars_take_no_more_queries(
    owner: User, fleet: Fleet, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Vehicle.objects.bulk_create(Vehicle(fleet=fleet, smartcar_id=f"car-{number}") for number in range(30))
    browser = browser_of(owner)
    with django_assert_num_queries(4):  # session, user, count, cars
        assert browser.get(CARS).json()["count"] == 30
    client = token_client(owner, fleet)
    client.get(CARS)
    with django_assert_num_queries(4):  # token, membership, count, cars
        client.get(CARS)


def test_who_has_the_answer_already_gets_304(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    report(vehicle, catalogue.STATE_OF_CHARGE, 61)
    browser, address = browser_of(owner), addresses(vehicle)[1]
    tag = browser.get(address).headers["ETag"]
    assert browser.get(address, headers={"If-None-Match": tag}).status_code == 304
    LatestSignal.objects.update(body={"value": 60, "unit": "percent"})
    assert browser.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_an_answer_is_kept_in_no_shared_cache(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    headers = browser_of(owner).get(CARS).headers
    assert "private" in headers["Cache-Control"]


@pytest.mark.parametrize(
    "address", ["/api/", "/api/v1/nothing/", "/api/v1/vehicles/a%00b/", "/api/v2/vehicles/"]
)
def test_an_address_that_leads_nowhere_answers_in_json(
    owner: User, browser_of: BrowserOf, address: str
) -> None:
    answer = browser_of(owner).get(address)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_nothing_can_be_written(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    for address in (CARS, *addresses(vehicle)):
        for method in (browser.post, browser.put, browser.patch, browser.delete, browser.options):
            assert method(address).status_code == 405
