"""The whole interface, in both API versions, against the running simulator."""

import hashlib
import hmac
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from smartcar_api import (
    Access,
    ApiVersion,
    ChargeSchedule,
    CommandOutcome,
    ConnectRequest,
    Credentials,
    SharedVehicle,
    SmartcarApi,
    SmartcarError,
    V2Api,
    V3Api,
    Window,
)
from tests.servers import Simulator
from tests.smartcar_api.conftest import Host, origins_at, respond

SCOPES = (
    "read_vehicle_info",
    "read_odometer",
    "read_location",
    "read_security",
    "read_battery",
    "control_security",
    "control_charge",
    "control_navigation",
)
REDIRECT = "http://localhost:8000/connect/back/"


@pytest.fixture(scope="module")
def our_credentials() -> Credentials:
    environment = os.environ
    return Credentials(
        application_id=environment["SMARTCAR_APPLICATION_ID"],
        application_secret=environment["SMARTCAR_APPLICATION_SECRET"],
        client_id=environment["SMARTCAR_CLIENT_ID"],
        client_secret=environment["SMARTCAR_CLIENT_SECRET"],
        management_tokens=tuple(environment["SMARTCAR_MANAGEMENT_TOKENS"].split(",")),
    )


@dataclass
class Fixture:
    """The client of one API version, and the connection of an owner."""

    api: SmartcarApi
    simulator: Simulator
    v2: V2Api
    v3: V3Api

    @property
    def is_v3(self) -> bool:
        return self.api.api_version == ApiVersion.V3

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(method, f"{self.simulator.url}/control{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def grant(self, **options: Any) -> dict[str, str]:
        """Returns the parameters of the redirect after an owner granted access."""
        url = self.api.connect_url(
            ConnectRequest(
                redirect_uri=REDIRECT,
                state="state-1",
                external_id="driver-42",
                scopes=SCOPES,
                mode="simulated",
            )
        )
        redirect = self.control("POST", "/grants", {"url": url, **options})["redirect"]
        return dict(parse_qsl(urlsplit(redirect).query))

    def connected(self, **options: Any) -> Access:
        back = self.grant(**options)
        if self.is_v3:
            return Access(token=self.v3.request_token().token, user_id=back["user_id"])
        pair = self.v2.exchange_code(code=back["code"], redirect_uri=REDIRECT)
        return Access(token=pair.access_token, user_id=self.v2.user_id(pair.access_token))


@pytest.fixture(params=["v2", "v3"])
def smartcar(
    request: pytest.FixtureRequest, simulator: Simulator, our_credentials: Credentials
) -> Iterator[Fixture]:
    v2 = V2Api(origins=origins_at(simulator.url), credentials=our_credentials)
    v3 = V3Api(origins=origins_at(simulator.url), credentials=our_credentials)
    api: SmartcarApi = v2 if request.param == "v2" else v3
    yield Fixture(api=api, simulator=simulator, v2=v2, v3=v3)
    v2.close()
    v3.close()


@pytest.fixture
def webhook(smartcar: Fixture, host: Host, our_credentials: Credentials) -> Iterator[str]:
    """A webhook of the simulator that delivers to the test's host."""

    def answer_challenge(handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(host.requests[-1].body)
        challenge = str(body["data"].get("challenge", ""))
        signed = hmac.new(
            our_credentials.management_tokens[0].encode(), challenge.encode(), hashlib.sha256
        ).hexdigest()
        respond(200, {"challenge": signed})(handler)

    host.reply_with(answer_challenge)
    webhook_id = str(uuid.uuid4())
    made = smartcar.control(
        "POST", "/webhooks", {"id": webhook_id, "callbackUri": f"{host.origin}/hook", "name": "ours"}
    )
    yield made["id"]
    smartcar.control("DELETE", f"/webhooks/{made['id']}")


PARKED = {
    "speed": 0,
    "asleep": False,
    "reachable": True,
    "remote_access": True,
    "digital_key_paired": True,
    "in_service": False,
    "doors": [],
    "windows": [],
    "hood_open": False,
    "front_trunk_open": False,
    "rear_trunk_open": False,
}


def parked_vehicle(smartcar: Fixture, access: Access) -> SharedVehicle:
    """Returns one of the owner's vehicles, parked and closed, so that it accepts commands."""
    car = smartcar.api.shared_vehicles(access, mode="simulated")[0]
    smartcar.control("PATCH", f"/vehicles/{car.vehicle_id}", PARKED)
    return car


def test_owner_connects_and_shares_vehicles(smartcar: Fixture) -> None:
    access = smartcar.connected()
    shared = smartcar.api.shared_vehicles(access, mode="simulated")
    assert shared
    for car in shared:
        assert car.user_id == access.user_id
        assert car.make
        assert car.model
        assert car.year is not None
        assert car.permissions == set(SCOPES)
        assert car.mode == "simulated"
        assert bool(car.connection_id) == smartcar.is_v3
        assert (car.external_id == "driver-42") == smartcar.is_v3


def test_state_and_external_id_are_returned(smartcar: Fixture) -> None:
    back = smartcar.grant()
    assert back["state"] == "state-1"
    if smartcar.is_v3:
        assert back["external_id"] == "driver-42"


def test_owner_with_many_vehicles_shares_them_all(smartcar: Fixture) -> None:
    access = smartcar.connected(email="30-vehicles@smartcar.com")
    shared = smartcar.api.shared_vehicles(access, mode="simulated")
    assert len({car.vehicle_id for car in shared}) == 30


def test_simulated_vehicles_are_not_listed_as_live(smartcar: Fixture) -> None:
    access = smartcar.connected()
    if smartcar.is_v3:
        assert smartcar.api.shared_vehicles(access, mode="live") == ()


def test_user_id_is_the_same_in_both_api_versions(smartcar: Fixture) -> None:
    back = smartcar.grant()
    pair = smartcar.v2.exchange_code(code=back["code"], redirect_uri=REDIRECT)
    user_id = smartcar.v2.user_id(pair.access_token)
    assert smartcar.v3.shared_vehicles(
        Access(token=smartcar.v3.request_token().token, user_id=user_id), mode="simulated"
    )


def test_a_code_works_once(smartcar: Fixture) -> None:
    code = smartcar.grant()["code"]
    smartcar.v2.exchange_code(code=code, redirect_uri=REDIRECT)
    with pytest.raises(SmartcarError) as caught:
        smartcar.v2.exchange_code(code=code, redirect_uri=REDIRECT)
    assert caught.value.type == "invalid_grant"


def test_refreshed_token_pair_works(smartcar: Fixture) -> None:
    pair = smartcar.v2.exchange_code(code=smartcar.grant()["code"], redirect_uri=REDIRECT)
    renewed = smartcar.v2.refresh(refresh_token=pair.refresh_token)
    assert renewed.refresh_token != pair.refresh_token
    assert smartcar.v2.user_id(renewed.access_token) == smartcar.v2.user_id(pair.access_token)


def test_attributes_are_those_of_the_shared_vehicle(smartcar: Fixture) -> None:
    access = smartcar.connected()
    car = parked_vehicle(smartcar, access)
    attributes = smartcar.api.attributes(access, vehicle_id=car.vehicle_id)
    assert (attributes.make, attributes.model, attributes.year) == (car.make, car.model, car.year)


def test_vehicle_is_read(smartcar: Fixture, webhook: str) -> None:
    access = smartcar.connected()
    car = parked_vehicle(smartcar, access)
    smartcar.api.subscribe(access, vehicle_id=car.vehicle_id, webhook_id=webhook)
    if smartcar.is_v3:
        assert "odometer-traveleddistance" in collected(smartcar, access, car.vehicle_id)
    else:
        body = smartcar.api.read(access, vehicle_id=car.vehicle_id).body
        answers = {entry["path"]: entry["code"] for entry in body["responses"]}
        assert answers["/odometer"] == 200
        assert answers["/tires/pressure"] == 403


def collected(smartcar: Fixture, access: Access, vehicle_id: str) -> set[str]:
    """Returns the codes in v3's store, which is filled some time after the vehicle was subscribed."""
    deadline = time.monotonic() + 15
    while True:
        entries = smartcar.api.read(access, vehicle_id=vehicle_id).body["data"]
        if entries or time.monotonic() > deadline:
            return {entry["attributes"]["code"] for entry in entries}
        time.sleep(0.2)


def test_locking_and_unlocking_change_the_vehicle(smartcar: Fixture) -> None:
    access = smartcar.connected()
    car = parked_vehicle(smartcar, access)
    for command, locked in ((smartcar.api.unlock, False), (smartcar.api.lock, True)):
        answer = command(access, vehicle_id=car.vehicle_id)
        assert answer.outcome is CommandOutcome.SUCCESS
        assert answer.request_id
        signals = smartcar.control("GET", f"/vehicles/{car.vehicle_id}")["signals"]
        assert signals["closure-islocked"]["body"]["value"] is locked


def electric_vehicle(smartcar: Fixture, **state: Any) -> tuple[Access, str]:
    """Returns a vehicle in this state that accepts every command of its API version, and its owner's access."""
    for car in smartcar.control("GET", "/vehicles?make=TESLA")["vehicles"]:
        # A vehicle that is driving can't be plugged in.
        address = f"{smartcar.simulator.url}/control/vehicles/{car['id']}"
        if httpx.patch(address, json=PARKED | {"plugged_in": False} | state).is_success:
            return smartcar.connected(vehicleIds=[car["id"]]), car["id"]
    pytest.fail("every Tesla of the simulator is on the road")


def vehicle_state(smartcar: Fixture, vehicle_id: str) -> dict[str, Any]:
    found: dict[str, Any] = smartcar.control("GET", f"/vehicles/{vehicle_id}")
    return found


def test_charging_is_started_and_stopped(smartcar: Fixture) -> None:
    access, car = electric_vehicle(
        smartcar, plugged_in=True, charging=False, state_of_charge=40, charge_limit=90
    )
    for command, charging in ((smartcar.api.start_charge, True), (smartcar.api.stop_charge, False)):
        assert command(access, vehicle_id=car).outcome is CommandOutcome.SUCCESS
        assert vehicle_state(smartcar, car)["state"]["charging"] is charging


def test_charge_limit_is_the_same_percentage_in_both_api_versions(smartcar: Fixture) -> None:
    access, car = electric_vehicle(smartcar, plugged_in=True, charge_limit=90)
    assert smartcar.api.set_charge_limit(access, vehicle_id=car, percent=57).outcome is CommandOutcome.SUCCESS
    assert vehicle_state(smartcar, car)["state"]["limit"] == 57


def test_destination_reaches_the_vehicle(smartcar: Fixture) -> None:
    access, car = electric_vehicle(smartcar)
    answer = smartcar.api.set_destination(access, vehicle_id=car, latitude=52.5, longitude=-13.25)
    assert answer.outcome is CommandOutcome.SUCCESS
    assert vehicle_state(smartcar, car)["state"]["destination"] == [52.5, -13.25]


def test_charge_port_is_opened_and_closed_on_v3_only(smartcar: Fixture) -> None:
    access, car = electric_vehicle(smartcar, plugged_in=False, charge_port_open=False)
    for command, opened in (
        (smartcar.api.open_charge_port, True),
        (smartcar.api.close_charge_port, False),
    ):
        if smartcar.is_v3:
            assert command(access, vehicle_id=car).outcome is CommandOutcome.SUCCESS
            signals = vehicle_state(smartcar, car)["signals"]
            assert signals["charge-ischargingportflapopen"]["body"]["value"] is opened
        else:
            with pytest.raises(SmartcarError, match="NOT_SENT:UNSUPPORTED") as caught:
                command(access, vehicle_id=car)
            assert caught.value.permanent
            assert "v3" in caught.value.user_message


def test_charge_schedule_is_stored_and_deleted_on_v3(smartcar: Fixture) -> None:
    if not smartcar.is_v3:
        pytest.skip("v2 has no schedules")
    access, car = electric_vehicle(smartcar)
    night = Window("22:00", "06:00")
    for kind, part in (("daily", "every_day"), ("weekly", "monday"), ("workweek", "weekends")):
        schedule = ChargeSchedule(type=kind, latitude=52.5, longitude=-13.25, windows={part: night})
        schedule_id = smartcar.api.set_charge_schedule(access, vehicle_id=car, schedule=schedule).schedule_id
        assert schedule_id in schedule_ids(smartcar, car)
        smartcar.api.delete_charge_schedule(access, vehicle_id=car, schedule_id=schedule_id)
        assert schedule_id not in schedule_ids(smartcar, car)


def schedule_ids(smartcar: Fixture, vehicle_id: str) -> list[str]:
    timers = vehicle_state(smartcar, vehicle_id)["signals"]["charge-chargetimers"]["body"]["values"]
    return [timer["scheduleId"] for timer in timers]


def test_charge_that_cannot_start_returns_the_reason(smartcar: Fixture) -> None:
    access, car = electric_vehicle(smartcar, plugged_in=False)
    with pytest.raises(SmartcarError) as caught:
        smartcar.api.start_charge(access, vehicle_id=car)
    assert (caught.value.type, caught.value.code) == ("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED")
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(
    ("kind", "code"),
    [("VEHICLE_STATE", "DOOR_OPEN"), ("UPSTREAM", "NO_RESPONSE"), ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")],
)
def test_rejected_command_returns_the_reason(smartcar: Fixture, kind: str, code: str) -> None:
    access = smartcar.connected(email=f"{kind}.{code}@smartcar.com")
    car = smartcar.api.shared_vehicles(access, mode="simulated")[0].vehicle_id
    with pytest.raises(SmartcarError) as caught:
        smartcar.api.lock(access, vehicle_id=car)
    assert (caught.value.type, caught.value.code) == (kind, code)
    assert caught.value.outcome_unknown is (kind == "UPSTREAM")
    assert caught.value.permanent is (kind == "COMPATIBILITY")
    assert caught.value.user_message
    assert caught.value.request_id


def test_lost_answer_leaves_the_outcome_of_a_command_unknown(smartcar: Fixture) -> None:
    access = smartcar.connected()
    car = parked_vehicle(smartcar, access)
    smartcar.control("POST", "/troubles", {"lostAnswers": 1})
    try:
        with pytest.raises(SmartcarError) as caught:
            smartcar.api.lock(access, vehicle_id=car.vehicle_id)
    finally:
        smartcar.control("DELETE", "/troubles")
    assert caught.value.outcome_unknown


def test_rate_limit_returns_the_time_to_wait(smartcar: Fixture) -> None:
    access = smartcar.connected()
    car = parked_vehicle(smartcar, access)
    smartcar.control("POST", "/troubles", {"rateLimited": 1})
    try:
        with pytest.raises(SmartcarError) as caught:
            smartcar.api.attributes(access, vehicle_id=car.vehicle_id)
    finally:
        smartcar.control("DELETE", "/troubles")
    assert caught.value.type == "RATE_LIMIT", (caught.value.status, caught.value.description)
    assert caught.value.retry_after


def test_vehicle_is_subscribed_once_and_unsubscribed(smartcar: Fixture, webhook: str) -> None:
    api, access = smartcar.api, smartcar.connected()
    car = parked_vehicle(smartcar, access).vehicle_id
    can_list = api.api_version == ApiVersion.V3
    for _ in range(2):
        api.subscribe(access, vehicle_id=car, webhook_id=webhook)
    assert api.is_subscribed(access, vehicle_id=car, webhook_id=webhook) is (True if can_list else None)
    assert smartcar.control("GET", f"/vehicles/{car}")["subscribed"] == 1
    for _ in range(2):
        api.unsubscribe(access, vehicle_id=car, webhook_id=webhook)
    assert api.is_subscribed(access, vehicle_id=car, webhook_id=webhook) is (False if can_list else None)
    assert smartcar.control("GET", f"/vehicles/{car}")["subscribed"] == 0


def test_subscribing_to_an_unknown_webhook_is_rejected(smartcar: Fixture) -> None:
    access = smartcar.connected()
    car = parked_vehicle(smartcar, access).vehicle_id
    with pytest.raises(SmartcarError) as caught:
        smartcar.api.subscribe(access, vehicle_id=car, webhook_id=str(uuid.uuid4()))
    assert caught.value.status == 404


def test_disconnected_vehicle_is_no_longer_shared(smartcar: Fixture) -> None:
    access = smartcar.connected(email="2-vehicles@smartcar.com")
    removed, remaining = smartcar.api.shared_vehicles(access, mode="simulated")
    smartcar.api.disconnect(access, vehicle_id=removed.vehicle_id, connection_id=removed.connection_id)
    shared = smartcar.api.shared_vehicles(access, mode="simulated")
    assert [car.vehicle_id for car in shared] == [remaining.vehicle_id]


def test_v3_vehicle_can_be_disconnected_without_its_connection_id_and_twice(smartcar: Fixture) -> None:
    back = smartcar.grant(email="2-vehicles@smartcar.com")
    pair = smartcar.v2.exchange_code(code=back["code"], redirect_uri=REDIRECT)
    access = Access(token=smartcar.v3.request_token().token, user_id=smartcar.v2.user_id(pair.access_token))
    before = smartcar.v3.shared_vehicles(access, mode="simulated")
    for _ in range(2):
        smartcar.v3.disconnect(access, vehicle_id=before[0].vehicle_id)
    after = smartcar.v3.shared_vehicles(access, mode="simulated")
    assert {car.vehicle_id for car in before} - {car.vehicle_id for car in after} == {before[0].vehicle_id}


def test_wrong_token_is_unauthorized(smartcar: Fixture) -> None:
    access = smartcar.connected()
    car = parked_vehicle(smartcar, access).vehicle_id
    with pytest.raises(SmartcarError) as caught:
        smartcar.api.read(Access(token=str(uuid.uuid4()), user_id=access.user_id), vehicle_id=car)
    assert caught.value.unauthorized


def test_vehicle_of_another_owner_cannot_be_locked(smartcar: Fixture) -> None:
    one, two = (
        smartcar.connected(email="1-vehicles@smartcar.com"),
        smartcar.connected(email="2-vehicles@smartcar.com"),
    )
    shared = {
        access.user_id: {car.vehicle_id for car in smartcar.api.shared_vehicles(access, mode="simulated")}
        for access in (one, two)
    }
    (other_vehicle,) = shared[two.user_id] - shared[one.user_id]
    with pytest.raises(SmartcarError) as caught:
        smartcar.api.lock(one, vehicle_id=other_vehicle)
    assert caught.value.permanent
    assert not caught.value.outcome_unknown
