"""In which unit a number was sent, by the payload, the vehicle's earlier values and the form of the label."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles import catalogue, unit_judgment
from vehicles.catalogue import CATALOGUE, Shape, Signal
from vehicles.latest_state import LatestSignalRow
from vehicles.models import LatestSignal, Reading, Vehicle
from vehicles.observations import SignalStatus
from vehicles.services import ReceivedReading, ingest_readings
from vehicles.units import Unit
from webhooks.parsing.signals import observe, plausible_times, read_signals

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PERCENT_SIGNALS = [
    signal for signal in CATALOGUE.values() if signal.shape is Shape.NUMBER and signal.unit is Unit.PERCENT
]


def received(
    vehicle: Vehicle, body: Any, *, minute: int, signal: Signal = catalogue.STATE_OF_CHARGE
) -> ReceivedReading:
    at = NOON + timedelta(minutes=minute)
    return ReceivedReading(
        vehicle.pk, observe(signal.code, body, times=plausible_times(at, at, None, at)), at
    )


def latest(vehicle: Vehicle, signal: Signal = catalogue.STATE_OF_CHARGE) -> LatestSignal:
    return LatestSignal.objects.get(vehicle=vehicle, code=signal.code)


def percent(value: float, unit: str | None = "percent") -> dict[str, Any]:
    return {"value": value} if unit is None else {"value": value, "unit": unit}


@pytest.mark.django_db
@pytest.mark.parametrize("batches", ["one", "several"])
@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ([percent(4), percent(0.8)], [4, 0.8]),
        ([percent(60), percent(0.8)], [60, 0.8]),
        ([percent(4), percent(0.8), percent(0), percent(0.5)], [4, 0.8, 0, 0.5]),
        ([percent(2), percent(1), percent(0.4)], [2, 1, 0.4]),
        ([percent(4, None), percent(0.8, None)], [4, 0.8]),
        ([percent(2, None), percent(1, None)], [2, 1]),
        # Fractions.
        ([percent(0.99), percent(1)], [99, 100]),
        ([percent(0.5), percent(1)], [50, 100]),
        ([percent(0.99, None), percent(1, None)], [99, 100]),
        ([percent(0.5, None), percent(1, None), percent(0.01, None)], [50, 100, 1]),
        # v2 says fraction, and v3 percent.
        ([percent(0.04, "fraction"), percent(0.8)], [4, 0.8]),
        ([percent(4), percent(0.04, "fraction"), percent(0.8)], [4, 4, 0.8]),
        ([percent(1, "fraction"), percent(1, "fraction")], [100, 100]),
        ([percent(73, "fraction"), percent(0.8, "fraction")], [73, 0.8]),
        # The vehicle begins to send another unit.
        ([percent(80), percent(0.8)], [80, 80]),
        ([percent(0.5), percent(49)], [50, 49]),
    ],
)
def test_small_percentages_and_fractions_are_told_apart(
    vehicle: Vehicle, bodies: Sequence[Any], expected: Sequence[float], batches: str
) -> None:
    readings = [received(vehicle, body, minute=at) for at, body in enumerate(bodies)]
    for batch in [readings] if batches == "one" else [[reading] for reading in readings]:
        ingest_readings(batch=batch)
    history = Reading.objects.filter(vehicle=vehicle).order_by("observed_at")
    assert [reading.value for reading in history] == expected
    assert latest(vehicle).body == {"value": expected[-1], "unit": "percent"}
    assert latest(vehicle).status == SignalStatus.SUCCESS


@pytest.mark.django_db
@pytest.mark.parametrize("signal", PERCENT_SIGNALS, ids=lambda signal: signal.code)
def test_all_percentages_are_judged_alike(vehicle: Vehicle, signal: Signal) -> None:
    for minute, value in enumerate([4, 0.8]):
        ingest_readings(batch=[received(vehicle, percent(value), minute=minute, signal=signal)])
    assert latest(vehicle, signal).value == 0.8


@pytest.mark.django_db
def test_one_without_a_unit_stays_rejected_while_nothing_is_known(vehicle: Vehicle) -> None:
    ingest_readings(batch=[received(vehicle, {"value": 1}, minute=0)])
    row = latest(vehicle)
    assert (row.body, row.status, row.error_type) == (None, SignalStatus.ERROR, "REFUSED")
    assert row.rejection_reason == "1 without a unit could be 1% or 100%."


@pytest.mark.django_db
def test_notes_are_those_of_the_unit_that_was_chosen(vehicle: Vehicle) -> None:
    ingest_readings(batch=[received(vehicle, percent(4), minute=0)])
    ingest_readings(batch=[received(vehicle, percent(0.8), minute=1)])
    assert latest(vehicle).notes == []
    ingest_readings(batch=[received(vehicle, percent(0.99), minute=2, signal=catalogue.FUEL_LEVEL)])
    ingest_readings(batch=[received(vehicle, percent(1), minute=3, signal=catalogue.FUEL_LEVEL)])
    assert latest(vehicle, catalogue.FUEL_LEVEL).notes == ["value.fraction_mislabeled"]


@given(
    last=st.none() | st.floats(0, 100),
    value=st.floats(0, 1.01, exclude_min=True),
    label=st.sampled_from(["percent", "fraction", None]),
    meant=st.sampled_from(["percent", "fraction", None]),
)
def test_settled_percentage_is_one_of_the_two_possible_ones(
    last: float | None, value: float, label: str | None, meant: str | None
) -> None:
    state = LatestSignalRow(1, catalogue.STATE_OF_CHARGE.code)
    state.body = None if last is None else {"value": last, "unit": "percent"}
    state.memory = {"units": {label or "": meant}} if meant else {}
    reading = unit_judgment.settle(
        observe(catalogue.STATE_OF_CHARGE.code, percent(value, label)), state, charging=False
    )
    if reading.body is None:
        assert (value, label, meant) == (1, None, None)
        return
    assert any(
        reading.body["value"] == pytest.approx(expected, abs=1e-3)
        for expected in (value, min(100, 100 * value))
    )


# Power


def delivery(**bodies: Any) -> list[dict[str, Any]]:
    codes = {
        "power": catalogue.CHARGE_WATTAGE,
        "charging": catalogue.IS_CHARGING,
        "volts": catalogue.CHARGE_VOLTAGE,
        "amperes": catalogue.AMPERAGE,
    }
    return [
        {"code": codes[name].code, "status": {"value": "SUCCESS"}, "body": body}
        for name, body in bodies.items()
    ]


def watts(**bodies: Any) -> Any:
    readings, _skipped = read_signals(delivery(**bodies), latest=None)
    return next(reading for reading in readings if reading.code == catalogue.CHARGE_WATTAGE.code).value


CHARGING, IDLE = {"value": True}, {"value": False}


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ({"power": {"value": 7.4, "unit": "watts"}, "charging": CHARGING}, 7_400),
        ({"power": {"value": 7.4}, "charging": CHARGING}, 7_400),
        ({"power": {"value": 7.4, "unit": "W"}, "charging": IDLE}, 7.4),
        ({"power": {"value": 7_400, "unit": "W"}, "charging": CHARGING}, 7_400),
        ({"power": {"value": 7.4, "unit": "kW"}, "charging": CHARGING}, 7_400),
        ({"power": {"value": 7_400, "unit": "kW"}, "charging": CHARGING}, 7_400),
        ({"power": {"value": 600, "unit": "kW"}, "volts": {"value": 230}, "amperes": {"value": 3}}, 600),
        ({"power": {"value": 150, "unit": "W"}, "volts": {"value": 400}, "amperes": {"value": 375}}, 150_000),
        ({"power": {"value": 150, "unit": "W"}, "volts": {"value": 230}, "amperes": {"value": 1}}, 150),
        ({"power": {"value": 22, "unit": "W"}, "volts": {"value": 230}, "amperes": {"value": 32}}, 22_000),
        ({"power": {"value": 0, "unit": "W"}, "charging": CHARGING}, 0),
        ({"power": {"value": 1e-9, "unit": "W"}, "volts": {"value": 230}, "amperes": {"value": 1}}, 0),
    ],
)
def test_power_in_watts_and_kilowatts_is_told_apart(bodies: dict[str, Any], expected: float) -> None:
    assert watts(**bodies) == expected


@pytest.mark.django_db
def test_power_is_judged_by_the_charging_state_and_power_from_earlier_deliveries(vehicle: Vehicle) -> None:
    power = catalogue.CHARGE_WATTAGE
    ingest_readings(batch=[received(vehicle, CHARGING, minute=0, signal=catalogue.IS_CHARGING)])
    for minute, (value, expected) in enumerate([(7.4, 7_400), (150, 150_000), (0.3, 300)], start=1):
        body = {"value": value, "unit": "W"}
        ingest_readings(batch=[received(vehicle, body, minute=minute, signal=power)])
        assert latest(vehicle, power).value == expected
    assert latest(vehicle, power).notes == ["value.watts_were_kilowatts"]


@pytest.mark.django_db
def test_unit_that_a_vehicle_has_used_before_counts_more_than_charging(vehicle: Vehicle) -> None:
    power = catalogue.CHARGE_WATTAGE
    for minute, value in enumerate([11_000, 40]):
        at = NOON + timedelta(minutes=minute)
        readings, _skipped = read_signals(
            delivery(power={"value": value, "unit": "W"}, charging=CHARGING), latest=None
        )
        ingest_readings(batch=[ReceivedReading(vehicle.pk, reading, at) for reading in readings])
        assert latest(vehicle, power).value == value


@pytest.mark.django_db
def test_idle_power_shows_nothing_about_the_unit(vehicle: Vehicle) -> None:
    power = catalogue.CHARGE_WATTAGE
    for minute, (value, charging, expected) in enumerate([(0.2, IDLE, 0.2), (7.4, CHARGING, 7_400)]):
        at = NOON + timedelta(minutes=minute)
        readings, _skipped = read_signals(
            delivery(power={"value": value, "unit": "W"}, charging=charging), latest=None
        )
        ingest_readings(batch=[ReceivedReading(vehicle.pk, reading, at) for reading in readings])
        assert latest(vehicle, power).value == expected


@pytest.mark.django_db
def test_little_power_at_the_end_of_a_charge_stays_in_watts(vehicle: Vehicle) -> None:
    power = catalogue.CHARGE_WATTAGE
    ingest_readings(batch=[received(vehicle, CHARGING, minute=0, signal=catalogue.IS_CHARGING)])
    for minute, (value, expected) in enumerate([(11_000, 11_000), (300, 300), (40, 40)], start=1):
        body = {"value": value, "unit": "W"}
        ingest_readings(batch=[received(vehicle, body, minute=minute, signal=power)])
        assert latest(vehicle, power).value == expected
