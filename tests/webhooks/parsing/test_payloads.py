"""Every payload of the documentation and every variant seen in practice, through the one parser."""

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from tests import payloads
from vehicles import catalogue
from vehicles.correction_notes import CorrectionNote
from vehicles.observations import NORMALIZATION_ERROR, SignalError, SignalReading, SignalStatus
from webhooks.messages import DeliveryNote
from webhooks.parsing import Delivery, Malformed, VehicleReport, parse_delivery

USER = "1c2f4a52-3f0e-4a51-8d6c-9f4be1f1a001"
CAR = "7d0f6b0e-52b4-4a0e-9a63-2b1f0c9de001"


def parse(name: str) -> Delivery:
    return parse_delivery(payloads.read(name))


def only_report(delivery: Delivery) -> VehicleReport:
    (report,) = delivery.reports
    return report


def by_code(report: VehicleReport) -> dict[str, SignalReading]:
    return {observation.code: observation for observation in report.observations}


@pytest.mark.parametrize("name", payloads.deliveries())
def test_every_delivery_is_parsed(name: str) -> None:
    delivery = parse(name)
    assert delivery.event_id
    assert delivery.event_type
    assert delivery.webhook_id or delivery.version == "5.0"
    assert bool(delivery.challenge) == (delivery.event_type == "VERIFY")
    assert bool(delivery.reports) == (delivery.event_type != "VERIFY")
    for report in delivery.reports:
        assert report.facts.smartcar_id
        assert not report.skipped


def test_there_are_payloads_to_parse() -> None:
    assert len(payloads.deliveries()) == 24


# The documentation


def test_documentation_verify() -> None:
    for name in ("documentation/verify-4.0", "documentation/verify-2.0"):
        assert parse(name).challenge == "3a5c8f72-e6d9-4b1a-9f2e-8c7d6a5b4e3f"


def test_documentation_signal_change() -> None:
    delivery = parse("documentation/vehicle-state-signal-change")
    assert delivery == Delivery(
        event_id="550e8400-e29b-41d4-a716-446655440000",
        event_type="VEHICLE_STATE",
        delivery_id="48b25f8f-9fea-42e1-9085-81043682cbb8",
        webhook_id="abde94ff-d57d-43b9-8d09-6020db2d977a",
        version="4.0",
        delivered_at=datetime(2024, 11, 18, 14, 32, 8, tzinfo=UTC),
        mode="live",
        triggers=(catalogue.STATE_OF_CHARGE.code,),
        reports=delivery.reports,
    )
    report = only_report(delivery)
    assert report.facts.smartcar_id == "9af13248-3b73-4c9d-9a4b-d937ce6bc8e2"
    assert report.facts.user_id == "93b3ea96-ca37-43a9-9073-f4334719iok7"
    assert (report.facts.make, report.facts.model, report.facts.year) == ("TESLA", "Model 3", 2020)
    assert by_code(report)[catalogue.STATE_OF_CHARGE.code] == SignalReading(
        code=catalogue.STATE_OF_CHARGE.code,
        status=SignalStatus.SUCCESS,
        body={"value": 78, "unit": "percent"},
        oem_updated_at=datetime(2024, 11, 18, 14, 32, 8, tzinfo=UTC),
        retrieved_at=datetime(2024, 11, 18, 14, 32, 10, tzinfo=UTC),
    )
    assert [observation.value for observation in report.observations] == [78, True, 240]


def test_documentation_first_delivery() -> None:
    delivery = parse("documentation/vehicle-state-first-delivery")
    assert delivery.first
    assert delivery.triggers == ()


@pytest.mark.parametrize(
    ("fragment", "first", "triggers"),
    [
        ("fragment-triggers-first-delivery", True, ()),
        ("fragment-triggers-signal-change", False, (catalogue.STATE_OF_CHARGE.code,)),
    ],
)
def test_documentation_triggers(fragment: str, first: bool, triggers: tuple[str, ...]) -> None:
    message = payloads.load("variants/unknown-event-type") | payloads.load(f"documentation/{fragment}")
    delivery = parse_delivery(orjson.dumps(message))
    assert (delivery.first, delivery.triggers) == (first, triggers)


def test_documentation_signal_with_error() -> None:
    message: dict[str, Any] = payloads.load("documentation/vehicle-state-signal-change")
    message["data"]["signals"].append(payloads.load("documentation/fragment-signal-with-error"))
    report = only_report(parse_delivery(orjson.dumps(message)))
    assert len(report.observations) == 4
    assert by_code(report)[catalogue.IS_AT_HOME.code] == SignalReading(
        code=catalogue.IS_AT_HOME.code,
        status=SignalStatus.ERROR,
        error=SignalError("COMPATIBILITY", "VEHICLE_NOT_CAPABLE"),
    )


def test_documentation_vehicle_error() -> None:
    (error,) = only_report(parse("documentation/vehicle-error")).errors
    assert (error.type, error.code, error.state) == ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE", "ERROR")
    assert error.signals == (catalogue.PRECISE_LOCATION.code, catalogue.STATE_OF_CHARGE.code)
    assert error.resolution_type == "CONTACT_SUPPORT"
    assert error.suggested_user_message == "Your car is unable to perform this request."
    assert error.doc_url.startswith("https://smartcar.com/docs/errors/")


def test_documentation_vehicle_error_resolved() -> None:
    (error,) = only_report(parse("documentation/vehicle-error-resolved")).errors
    assert (error.type, error.code, error.state) == ("VEHICLE_STATE", "UNREACHABLE", "RESOLVED")
    assert error.resolution_type is None


def test_documentation_authentication_failed_is_an_error_of_the_connection() -> None:
    (error,) = only_report(parse("documentation/vehicle-error-authentication-failed")).errors
    assert (error.type, error.state) == ("CONNECTED_SERVICES_ACCOUNT", "ERROR")
    assert error.resolution_type == "REAUTHENTICATE"
    assert error.resolution_url.startswith("https://connect.smartcar.com/oauth/reauthenticate?")
    assert error.signals == ()


def test_documentation_charging_session_has_its_meta_under_data() -> None:
    delivery = parse("documentation/charging-session")
    assert delivery.delivery_id == "b1c2d3e4-5678-90ab-cdef-1234567890ab"
    assert delivery.delivered_at == datetime(2024, 8, 4, 17, tzinfo=UTC)
    assert delivery.triggers == (catalogue.IS_CHARGING.code,)
    assert by_code(only_report(delivery))[catalogue.IS_CHARGING.code].value is True


def complete(sketch: str) -> bytes:
    """Returns a sketch of the documentation without its comments and dots."""
    return re.sub(r",?\s*\.\.\.|//.*", "", sketch).encode()


@pytest.mark.parametrize("name", payloads.sketches())
def test_documentation_sketches_are_parsed_or_malformed_for_what_they_omit(name: str) -> None:
    sketch = complete(payloads.sketches()[name])
    if name == "sketch-event-envelope":
        assert parse_delivery(sketch).reports[0].facts.smartcar_id == "bc6ea99e-57d1-4e41-b129-27e7eb58713e"
        return
    with pytest.raises(Malformed) as malformed:
        parse_delivery(sketch)
    assert malformed.value.reason in {
        DeliveryNote.NO_VEHICLE,
        DeliveryNote.NO_EVENT_NAME,
    }


def test_documentation_sketch_of_signals_by_name() -> None:
    message = orjson.loads(complete(payloads.sketches()["sketch-simultaneous-changes"]))
    delivery = parse_delivery(orjson.dumps(message | {"vehicleId": CAR}))
    codes = (catalogue.IS_CHARGING.code, catalogue.STATE_OF_CHARGE.code, catalogue.RANGE.code)
    assert delivery.triggers == codes
    assert [(o.code, o.value) for o in only_report(delivery).observations] == list(
        zip(codes, (True, 85, 250), strict=True)
    )


# The variants


def test_variant_a_triggers_as_text_and_a_fraction() -> None:
    delivery = parse("variants/a-2025-09-string-triggers")
    assert delivery.version == ""
    assert delivery.triggers == (catalogue.FUEL_LEVEL.code,)
    assert delivery.delivered_at == datetime(2025, 9, 4, 15, 33, 30, tzinfo=UTC)
    charge = by_code(only_report(delivery))[catalogue.STATE_OF_CHARGE.code]
    assert charge.value == 77
    assert charge.notes


def test_variant_a_errors_name_signals_as_text() -> None:
    (error,) = only_report(parse("variants/a-2025-09-vehicle-error-string-signals")).errors
    assert error.signals == (catalogue.RANGE.code, catalogue.PRECISE_LOCATION.code)
    assert error.resolution_type is None


def test_variant_b() -> None:
    delivery = parse("variants/b-4.0-object-triggers")
    assert delivery.triggers == (catalogue.STATE_OF_CHARGE.code, catalogue.IS_LOCKED.code)
    readings = by_code(only_report(delivery))
    assert readings[catalogue.IS_LOCKED.code].value is True
    assert readings[catalogue.CHARGING_CONNECTOR.code].status is SignalStatus.UNAVAILABLE
    tires = readings[catalogue.TIRES.code]
    assert tires.body is not None
    assert [tire["tirePressure"] for tire in tires.body["values"]] == [258, 260.5, None, 255]


def test_time_of_0_is_unknown() -> None:
    vin = by_code(only_report(parse("variants/b-4.0-object-triggers")))[catalogue.VIN.code]
    assert (vin.value, vin.oem_updated_at, vin.retrieved_at) == ("WVGZZZE2ZPP000001", None, None)


def test_previous_body_of_a_signal_with_an_error_is_ignored() -> None:
    rate = by_code(only_report(parse("variants/b-4.0-object-triggers")))[catalogue.CHARGE_RATE.code]
    assert rate.body is None
    assert rate.error == SignalError("VEHICLE_STATE", "NOT_CHARGING")


def test_permission_error_has_no_code() -> None:
    lamp = by_code(only_report(parse("variants/b-4.0-object-triggers")))[catalogue.MIL.code]
    assert lamp.error == SignalError("PERMISSION")


def test_unusual_units_are_converted_and_impossible_values_rejected() -> None:
    readings = by_code(only_report(parse("variants/b-4.0-imperial-and-odd-units")))
    assert readings[catalogue.ODOMETER.code].value == pytest.approx(25000, abs=0.01)
    assert readings[catalogue.EXTERNAL_TEMPERATURE.code].value == 20
    assert readings[catalogue.CHARGE_WATTAGE.code].value == 7400
    for signal in (catalogue.STATE_OF_CHARGE, catalogue.PRECISE_LOCATION):
        refused = readings[signal.code]
        assert refused.status is SignalStatus.ERROR
        assert refused.body is None
        assert refused.error is not None
        assert refused.error.type == NORMALIZATION_ERROR
        assert refused.error.description


def test_variant_c_3_0() -> None:
    delivery = parse("variants/c-3.0-first-delivery")
    assert delivery.first
    readings = by_code(only_report(delivery))
    assert readings[catalogue.STATE_OF_CHARGE.code].value == 78
    assert readings[catalogue.STATE_OF_CHARGE.code].retrieved_at == datetime(
        2024, 11, 18, 14, 32, 10, tzinfo=UTC
    )
    assert readings[catalogue.VIN.code].value == "5YJ3E1EA7LF000001"


def test_variant_d() -> None:
    delivery = parse("variants/d-2026-external-id-and-sequence")
    assert (delivery.sequence, delivery.webhook_id) == (17, "wh_01J9ZQ2F8Y6B3C4D5E6F7G8H9J")
    report = only_report(delivery)
    assert (report.facts.external_id, report.facts.mode, report.facts.powertrain) == (
        "driver-42",
        "live",
        "BEV",
    )
    readings = by_code(report)
    assert readings[catalogue.STATE_OF_CHARGE.code].ingested_at == datetime(2026, 8, 6, 4, 20, 6, tzinfo=UTC)
    windows = readings[catalogue.WINDOWS.code]
    assert windows.body is not None
    assert [window["isOpen"] for window in windows.body["values"]] == [True, False]


def test_signal_that_is_not_in_the_catalog_is_stored_unchanged() -> None:
    scent = by_code(only_report(parse("variants/d-2026-external-id-and-sequence")))["cabin-scent"]
    assert scent.body == {"value": "lavender", "intensity": {"level": 3}}
    assert scent.notes == (CorrectionNote.UNKNOWN_SIGNAL.value,)


def test_resolution_can_be_an_object_or_text() -> None:
    account, permission = only_report(parse("variants/d-2026-vehicle-error-reauthenticate")).errors
    assert (account.resolution_type, permission.resolution_type) == ("REAUTHENTICATE", "REAUTHENTICATE")
    assert account.signals == ()
    assert permission.signals == (catalogue.MIL.code,)


def test_variant_t_is_in_test_mode() -> None:
    assert parse("variants/t-dashboard-test").mode == "test"


def test_unknown_event_type_yields_only_its_vehicle() -> None:
    delivery = parse("variants/unknown-event-type")
    assert delivery.event_type == "VEHICLE_DISCONNECTED"
    assert only_report(delivery).facts.smartcar_id == CAR
    assert only_report(delivery).facts.user_id == USER


def test_verify_with_an_iso_time() -> None:
    delivery = parse("variants/verify-4.0-iso-time")
    assert delivery.delivered_at == datetime(2025, 7, 31, 19, 38, 42, 332000, tzinfo=UTC)


# Legacy 2.0


def test_legacy_schedule_contains_several_vehicles() -> None:
    delivery = parse("variants/legacy-2.0-schedule")
    assert delivery.event_type == "VEHICLE_STATE"
    assert delivery.event_id.startswith("sha256:")
    assert delivery.mode == "live"
    first, second = delivery.reports
    readings = by_code(first)
    assert readings[catalogue.STATE_OF_CHARGE.code].value == 30
    assert readings[catalogue.STATE_OF_CHARGE.code].oem_updated_at == datetime(
        2025, 6, 1, 9, 59, 40, tzinfo=UTC
    )
    assert readings[catalogue.STATE_OF_CHARGE.code].retrieved_at == datetime(2025, 6, 1, 10, tzinfo=UTC)
    assert readings[catalogue.IS_CHARGING.code].value is True
    assert by_code(second)[catalogue.ODOMETER.code].value == pytest.approx(37829, abs=0.01)
    assert by_code(second)[catalogue.TIRES.code].status is SignalStatus.ERROR


def test_identical_legacy_deliveries_have_the_same_event_id_and_others_do_not() -> None:
    same = [parse("variants/legacy-2.0-schedule").event_id for _ in range(2)]
    assert same[0] == same[1] != parse("variants/legacy-2.0-dynamic").event_id


def test_legacy_dynamic_in_test_mode() -> None:
    delivery = parse("variants/legacy-2.0-dynamic")
    assert delivery.mode == "test"
    assert by_code(only_report(delivery))[catalogue.IS_LOCKED.code].value is True


@pytest.mark.parametrize(
    ("kind", "charging", "status"),
    [
        ("CHARGING_STARTED", True, "CHARGING"),
        ("CHARGING_STOPPED", False, "NOT_CHARGING"),
        ("CHARGING_COMPLETED", False, "FULLY_CHARGED"),
    ],
)
def test_legacy_charging_events(kind: str, charging: bool, status: str) -> None:
    message: dict[str, Any] = payloads.load("variants/legacy-2.0-charging-started")
    message["payload"]["eventType"] = kind
    delivery = parse_delivery(orjson.dumps(message))
    assert delivery.event_type == "VEHICLE_STATE"
    assert delivery.event_id == "f0000000-0000-4000-8000-000000000001"
    readings = by_code(only_report(delivery))
    assert readings[catalogue.IS_CHARGING.code].value is charging
    assert readings[catalogue.IS_CHARGING.code].oem_updated_at == datetime(2025, 6, 1, 10, tzinfo=UTC)
    assert readings[catalogue.DETAILED_CHARGING_STATUS.code].value == status


def test_legacy_event_cannot_be_later_than_its_receipt() -> None:
    raw = orjson.dumps(payloads.load("variants/legacy-2.0-charging-started"))
    delivery = parse_delivery(raw, received_at=datetime(2025, 6, 1, 9, 40, tzinfo=UTC))
    reading = by_code(only_report(delivery))[catalogue.IS_CHARGING.code]
    assert (reading.value, reading.oem_updated_at) == (True, None)
    assert reading.notes == (CorrectionNote.TIME_LEFT_OUT.value,)


def test_unknown_legacy_event_retains_its_name() -> None:
    assert parse("documentation/event-based-2.0").event_type.startswith("CHARGING_STARTED|")
    delivery = parse_delivery(b'{"version":"2.0","eventName":"migrated","payload":{}}')
    assert (delivery.event_type, delivery.reports) == ("migrated", ())
