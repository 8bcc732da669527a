"""Formatting of signals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from vehicles import catalogue, formatting
from vehicles import labels as words
from vehicles.catalogue import CATALOGUE
from vehicles.models import LatestSignal
from vehicles.observations import SignalStatus
from vehicles.units import Unit

# Words that are the same in English and another language.
SAME_WORD = {"Airbag", "Online", "Sunroof", "VIN"}


@pytest.mark.parametrize(
    ("signal", "body", "metric", "imperial"),
    [
        (catalogue.STATE_OF_CHARGE, {"value": 72.4, "unit": "percent"}, "72%", "72%"),
        (catalogue.RANGE, {"value": 312, "unit": "km"}, "312 km", "194 mi"),
        (catalogue.ODOMETER, {"value": 25123.7, "unit": "km"}, "25,124 km", "15,611 mi"),
        (catalogue.EXTERNAL_TEMPERATURE, {"value": 20, "unit": "celsius"}, "20 °C", "68 °F"),
        (catalogue.CHARGE_WATTAGE, {"value": 7200, "unit": "W"}, "7.2 kW", "7.2 kW"),
        (catalogue.TIME_TO_COMPLETE, {"value": 135, "unit": "minute"}, "2 h 15 min", "2 h 15 min"),
        (catalogue.IS_LOCKED, {"value": False}, "Unlocked", "Unlocked"),
        (catalogue.IS_ONLINE, {"value": True}, "Yes", "Yes"),
        (catalogue.DETAILED_CHARGING_STATUS, {"value": "FULLY_CHARGED"}, "Fully charged", "Fully charged"),
        (catalogue.FRONT_TRUNK, {"isOpen": False, "isLocked": True}, "Closed, locked", "Closed, locked"),
        (
            catalogue.TIRES,
            {"values": [{"tirePressure": 250}, {"tirePressure": 230}], "unit": "kPa"},
            "2.5 · 2.3 bar",
            "36.3 · 33.4 psi",
        ),
        (
            catalogue.CHARGE_LIMITS,
            {"values": [{"type": "GLOBAL", "limit": 80}], "activeLimit": None},
            "80%",
            "80%",
        ),
    ],
)
def test_value_is_shown_in_the_selected_units(
    signal: Any, body: dict[str, Any], metric: str, imperial: str
) -> None:
    assert formatting.format_value(code=signal.code, body=body, units="metric") == metric
    assert formatting.format_value(code=signal.code, body=body, units="imperial") == imperial


def test_unknown_code_shows_its_plain_value() -> None:
    assert formatting.format_value(code="future-signal", body={"value": 7}, units="metric") == "7"


@pytest.mark.parametrize("code", sorted(catalogue.CATALOGUE))
def test_every_signal_of_the_catalog_accepts_an_empty_body(code: str) -> None:
    assert formatting.format_value(code=code, body={}, units="metric") == ""


def test_error_is_explained() -> None:
    row = LatestSignal(code=catalogue.MIL.code, status=SignalStatus.ERROR, error_type="PERMISSION")
    assert "not granted" in formatting.format_error(row)


def test_value_is_stale_after_the_limit_of_its_signal() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    row = LatestSignal(code=catalogue.IS_LOCKED.code, observed_at=now - timedelta(hours=3))
    assert formatting.is_stale(row, now=now)
    row.observed_at = now - timedelta(minutes=1)
    assert not formatting.is_stale(row, now=now)


@pytest.mark.parametrize(
    ("signal", "body", "german"),
    [
        (catalogue.ODOMETER, {"value": 25123.7, "unit": "km"}, "25.124 km"),
        (catalogue.EXTERNAL_TEMPERATURE, {"value": -1.26, "unit": "celsius"}, "-1,3 °C"),
        (catalogue.TIRES, {"values": [{"tirePressure": 250}, {"tirePressure": 230}]}, "2,5 · 2,3 bar"),
        (catalogue.IS_LOCKED, {"value": False}, "Entriegelt"),
        (catalogue.DETAILED_CHARGING_STATUS, {"value": "FULLY_CHARGED"}, "Vollständig geladen"),
        (catalogue.GEAR_STATE, {"value": "REVERSE"}, "Rückwärtsgang"),
        (catalogue.MIL, {"status": "ALERT", "description": "P0420"}, "Warnung · P0420"),
        (catalogue.FRONT_TRUNK, {"isOpen": False, "isLocked": True}, "Geschlossen, verriegelt"),
        (catalogue.DOORS, {"values": [{"isOpen": True}, {"isOpen": False}]}, "1 von 2 offen"),
        (catalogue.CHARGE_TIMERS, {"values": [{}]}, "1 Eintrag"),
    ],
    ids=lambda value: value.code if isinstance(value, catalogue.Signal) else "",
)
def test_words_and_numbers_are_in_the_active_language(signal: Any, body: dict[str, Any], german: str) -> None:
    with translation.override("de"):
        assert formatting.format_value(code=signal.code, body=body, units="metric") == german


@pytest.mark.parametrize("language", ["de", "fr"])
def test_signals_and_errors_are_translated(language: str) -> None:
    errors = [LatestSignal(status=SignalStatus.ERROR, error_type=kind) for kind in (*formatting._ERRORS, "")]
    with translation.override(language):
        labels = {signal.english for signal in CATALOGUE.values() if signal.label == signal.english}
        translated = {formatting.format_error(row) for row in errors}
    assert labels <= SAME_WORD
    assert not {formatting.format_error(row) for row in errors} & translated


def test_unknown_choice_is_shown_unchanged() -> None:
    with translation.override("de"):
        assert words.choice(catalogue.GEAR_STATE, "SECOND_GEAR") == "Second gear"


def test_zero_is_never_negative() -> None:
    assert formatting.quantity(-0.04, Unit.CELSIUS, units="metric") == "0 °C"
