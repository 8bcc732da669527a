"""Answers of the REST APIs: V3 signals and the v2.0 batch."""

from datetime import UTC, datetime
from typing import Any

import pytest

from smartcar_api import FLEET_PATHS
from tests import payloads
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.observations import SignalError, SignalReading, SignalStatus
from webhooks.parsing import Malformed, VehicleReport, parse_v2_batch, parse_v3_signals
from webhooks.parsing import v2 as v2_paths

CAR = "36ab27d0-fd9d-4455-823a-ce30af709ffc"
HEADERS = {"sc-data-age": "2025-06-01T09:59:40.000Z", "sc-fetched-at": "2025-06-01T10:00:00.000Z"}


def v3(name: str) -> VehicleReport:
    return parse_v3_signals(payloads.load(f"answers/{name}"), vehicle_id=CAR)


def by_code(report: VehicleReport) -> dict[str, SignalReading]:
    return {observation.code: observation for observation in report.observations}


def v2(path: str, body: Any, *, code: int = 200, units: str = "metric") -> VehicleReport:
    headers = HEADERS | {"SC-Unit-System": units}
    response = {"path": path, "code": code, "body": body, "headers": headers}
    return parse_v2_batch({"responses": [response]}, vehicle_id=CAR)


# V3


def test_v3_signals() -> None:
    report = v3("v3-signals")
    assert report.facts.smartcar_id == CAR
    assert (report.facts.make, report.facts.mode, report.facts.powertrain) == (
        "VOLKSWAGEN",
        "simulated",
        "BEV",
    )
    assert len(report.observations) == 8
    charge = by_code(report)[catalogue.STATE_OF_CHARGE.code]
    assert charge.value == 72
    assert charge.oem_updated_at == datetime(2026, 7, 1, 9, 59, 40, tzinfo=UTC)
    assert charge.retrieved_at == datetime(2026, 7, 1, 10, 0, 1, tzinfo=UTC)
    assert charge.ingested_at == datetime(2026, 7, 1, 10, 0, 2, tzinfo=UTC)


def test_v3_previous_body_of_a_signal_with_an_error_is_ignored() -> None:
    wattage = by_code(v3("v3-signals"))[catalogue.CHARGE_WATTAGE.code]
    assert wattage.body is None
    assert wattage.error == SignalError(
        "VEHICLE_STATE", "NOT_CHARGING", "The vehicle is not charging.", "UNKNOWN_RESOLUTION_TYPE"
    )


def test_v3_unavailable() -> None:
    nickname = by_code(v3("v3-signals"))[catalogue.NICKNAME.code]
    assert (nickname.status, nickname.body, nickname.error) == (SignalStatus.UNAVAILABLE, None, None)


def test_v3_single_signal() -> None:
    (vin,) = v3("v3-signal").observations
    assert (vin.code, vin.value) == (catalogue.VIN.code, "WVGZZZE2ZPP000001")


def test_v3_single_signal_without_a_wrapper_and_with_epoch_times() -> None:
    (odometer,) = v3("v3-signal-unwrapped").observations
    assert odometer.body == {"value": 50000, "unit": "km"}
    assert odometer.oem_updated_at == datetime(2025, 11, 13, 2, 13, 20, tzinfo=UTC)


def test_v3_vehicle_without_a_subscription_has_no_signals() -> None:
    assert v3("v3-signals-empty").observations == ()


@pytest.mark.parametrize("body", [{}, {"data": None}, {"errors": []}, {"data": 7}])
def test_v3_answer_without_signals_is_malformed(body: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        parse_v3_signals(body, vehicle_id=CAR)


def test_v3_times_later_than_the_answer_are_implausible() -> None:
    answer = payloads.load("answers/v3-signals")
    report = parse_v3_signals(answer, vehicle_id=CAR, received_at=datetime(2026, 6, 1, tzinfo=UTC))
    assert by_code(report)[catalogue.STATE_OF_CHARGE.code].oem_updated_at is None


# v2.0


def test_v2_documented_batch() -> None:
    report = parse_v2_batch(payloads.load("documentation/answer-batch-2.0"), vehicle_id=CAR)
    readings = by_code(report)
    assert readings[catalogue.ODOMETER.code].body == {"value": 37829, "unit": "km"}
    assert readings[catalogue.ODOMETER.code].oem_updated_at == datetime(2019, 10, 24, 0, 43, 46, tzinfo=UTC)
    assert readings[catalogue.PRECISE_LOCATION.code].body == {"latitude": 37.4292, "longitude": 122.1381}


def test_v2_batch_of_every_path() -> None:
    report = parse_v2_batch(payloads.load("answers/v2-batch"), vehicle_id=CAR)
    assert (report.facts.make, report.facts.model, report.facts.year) == ("TESLA", "Model S", 2014)
    assert not [o.code for o in report.observations if o.status is SignalStatus.ERROR]
    assert report.skipped == ("answer 17: unknown path", "answer 18: the endpoint failed")


@pytest.mark.parametrize(
    ("path", "body", "signal", "expected"),
    [
        ("/battery", {"percentRemaining": 0.3}, catalogue.STATE_OF_CHARGE, {"value": 30, "unit": "percent"}),
        ("/battery", {"percentRemaining": 1}, catalogue.STATE_OF_CHARGE, {"value": 100, "unit": "percent"}),
        ("battery", {"range": 40.5}, catalogue.RANGE, {"value": 40.5, "unit": "km"}),
        ("/charge", {"isPluggedIn": True}, catalogue.CABLE_CONNECTED, {"value": True}),
        ("/charge", {"state": "CHARGING"}, catalogue.IS_CHARGING, {"value": True}),
        ("/charge", {"state": "FULLY_CHARGED"}, catalogue.IS_CHARGING, {"value": False}),
        ("/engine/oil", {"lifeRemaining": 0.35}, catalogue.OIL_LIFE, {"value": 35, "unit": "percent"}),
        ("/fuel", {"amountRemaining": 53.2}, catalogue.FUEL_REMAINING, {"value": 53.2, "unit": "L"}),
        ("/security", {"isLocked": False}, catalogue.IS_LOCKED, {"value": False}),
        ("/tesla/charge/wattmeter", {"wattage": 3.5}, catalogue.CHARGE_WATTAGE, {"value": 3500, "unit": "W"}),
        (
            "/chevrolet/charge/voltmeter",
            {"voltage": 240},
            catalogue.CHARGE_VOLTAGE,
            {"value": 240, "unit": "V"},
        ),
        ("/audi/charge", {"chargingStatus": "CHARGING"}, catalogue.IS_CHARGING, {"value": True}),
        ("/tesla/speedometer", {"speed": 84.32}, catalogue.SPEED, {"value": 84.32, "unit": "km/h"}),
        ("/battery/capacity", {"capacity": 28}, catalogue.NOMINAL_CAPACITY, None),
    ],
)
def test_v2_paths(path: str, body: dict[str, Any], signal: Signal, expected: dict[str, Any] | None) -> None:
    observation = by_code(v2(path, body))[signal.code]
    if expected is None:
        assert observation.body is not None
        assert (observation.body["capacity"], observation.body["unit"]) == (28, "kWh")
    else:
        assert observation.body == expected
    assert observation.retrieved_at == datetime(2025, 6, 1, 10, tzinfo=UTC)


def test_v2_charge_limit_is_a_fraction() -> None:
    (limits,) = v2("/charge/limit", {"limit": 0.8}).observations
    assert limits.body is not None
    assert limits.body["values"] == [{"type": "GLOBAL", "limit": 80, "condition": None}]


def test_v2_completion_time_becomes_minutes_left() -> None:
    (reading,) = v2("/chevrolet/charge/completion", {"time": "2025-06-01T10:45:00.000Z"}).observations
    assert reading.body == {"value": 45, "unit": "minute"}


def test_v2_completion_time_in_the_past_is_ignored() -> None:
    assert v2("/chevrolet/charge/completion", {"time": "2025-05-01T10:45:00.000Z"}).observations == ()


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/odometer", {"distance": 100}, 160.9344),
        ("/tesla/thermometer/exterior", {"temperature": 68}, 20),
        ("/tesla/speedometer", {"speed": 50}, 80.4672),
    ],
)
def test_v2_imperial_answers(path: str, body: dict[str, Any], expected: float) -> None:
    (observation,) = v2(path, body, units="imperial").observations
    assert observation.value == expected


def test_v2_imperial_tires_are_in_psi() -> None:
    body = {"frontLeft": 36, "frontRight": 36, "backLeft": 36, "backRight": None}
    (tires,) = v2("/tires/pressure", body, units="imperial").observations
    assert tires.body is not None
    assert [tire["tirePressure"] for tire in tires.body["values"]] == [248.2113, 248.2113, 248.2113, None]


def test_v2_openings() -> None:
    body = {
        "doors": [{"type": "frontLeft", "status": "CLOSED"}, {"type": "backRight", "status": "OPEN"}],
        "storage": [{"type": "rear", "status": "UNKNOWN"}, {"type": "front", "status": "OPEN"}],
        "chargingPort": [{"type": "chargingPort", "status": "CLOSED"}],
    }
    readings = by_code(v2("/security", body))
    doors = readings[catalogue.DOORS.code].body
    assert doors is not None
    assert [(door["row"], door["column"], door["isOpen"]) for door in doors["values"]] == [
        (0, 0, False),
        (1, 1, True),
    ]
    assert readings[catalogue.FRONT_TRUNK.code].body == {"isOpen": True, "isLocked": None}
    assert readings[catalogue.REAR_TRUNK.code].status is SignalStatus.UNAVAILABLE
    assert readings[catalogue.CHARGE_PORT_OPEN.code].value is False


def test_v2_error_of_a_path_applies_to_each_of_its_signals() -> None:
    body = {"type": "COMPATIBILITY", "code": "VEHICLE_NOT_CAPABLE", "description": "No.", "statusCode": 501}
    observations = v2("/battery", body, code=501).observations
    assert [o.code for o in observations] == [catalogue.STATE_OF_CHARGE.code, catalogue.RANGE.code]
    assert {o.error for o in observations} == {SignalError("COMPATIBILITY", "VEHICLE_NOT_CAPABLE", "No.")}


@pytest.mark.parametrize("body", [{}, {"responses": None}, {"responses": {}}])
def test_v2_answer_without_responses_is_malformed(body: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        parse_v2_batch(body, vehicle_id=CAR)


def test_a_read_on_v2_asks_for_every_signal_that_a_path_of_all_makes_has() -> None:
    """`/battery/capacity` has the same signal as `/battery/nominal_capacity`, and each path is billed."""
    assert {path.removeprefix("/") for path in FLEET_PATHS} == v2_paths._PATHS.keys() - {"battery/capacity"}
