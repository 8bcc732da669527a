"""Normalization of signal bodies: canonical units and shapes, and known faults of transmitted values."""

from typing import Any
from unittest.mock import patch

import pytest

from core.message_codes import Message
from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Signal
from vehicles.correction_notes import CorrectionNote, note_text
from vehicles.normalization import ImplausibleValueError, Normalized, NoValueError, normalize


def value_of(signal: Signal, body: dict[str, Any]) -> Any:
    return normalize(signal, body).body["value"]


def refusal(signal: Signal, body: dict[str, Any]) -> str:
    with pytest.raises(ImplausibleValueError) as refused:
        normalize(signal, body)
    return str(refused.value)


# Percentages


def test_percent_is_unchanged() -> None:
    result = normalize(catalogue.STATE_OF_CHARGE, {"value": 73, "unit": "percent"})
    assert result == Normalized({"value": 73, "unit": "percent"})


@pytest.mark.parametrize(
    ("body", "note"),
    [
        ({"value": 0.77}, CorrectionNote.FRACTION_CONVERTED),
        ({"value": 0.77, "unit": "percent"}, CorrectionNote.FRACTION_MISLABELED),
        ({"percentage": 0.77}, CorrectionNote.FRACTION_MISLABELED),
    ],
)
def test_fraction_becomes_a_percentage_and_is_noted(body: dict[str, Any], note: CorrectionNote) -> None:
    result = normalize(catalogue.STATE_OF_CHARGE, body)
    assert result.body == {"value": 77, "unit": "percent"}
    assert result.notes == (note.value,)


@pytest.mark.parametrize("value", [0, 1, 2, 99.5, 100])
def test_small_and_whole_percentages_are_not_fractions(value: float) -> None:
    assert value_of(catalogue.STATE_OF_CHARGE, {"value": value, "unit": "percent"}) == value


def test_value_of_1_without_a_unit_is_rejected_as_ambiguous() -> None:
    assert "1% or 100%" in refusal(catalogue.STATE_OF_CHARGE, {"value": 1})


def test_percentage_body_is_accepted() -> None:
    assert value_of(catalogue.FUEL_LEVEL, {"percentage": 78}) == 78


@pytest.mark.parametrize(("value", "expected"), [(0.3, 30), (1, 100), (0, 0), (1.004, 100), (73, 73)])
def test_declared_fraction_becomes_a_percentage(value: float, expected: float) -> None:
    assert value_of(catalogue.STATE_OF_CHARGE, {"value": value, "unit": "fraction"}) == expected


@pytest.mark.parametrize("value", [7300, 101.5, -1, 255, 65535])
def test_impossible_percentages_are_rejected(value: float) -> None:
    assert "outside of the plausible range from 0 to 100" in refusal(
        catalogue.STATE_OF_CHARGE, {"value": value, "unit": "percent"}
    )


def test_slightly_more_than_a_hundred_percent_becomes_a_hundred() -> None:
    result = normalize(catalogue.STATE_OF_CHARGE, {"value": 100.4, "unit": "percent"})
    assert result.body["value"] == 100
    assert result.notes


# Other numbers


@pytest.mark.parametrize(
    ("signal", "body", "expected", "unit"),
    [
        (catalogue.ODOMETER, {"value": 25000, "unit": "km"}, 25000, "km"),
        (catalogue.ODOMETER, {"value": 25000, "unit": "kilometers"}, 25000, "km"),
        (catalogue.ODOMETER, {"value": 100, "unit": "miles"}, 160.9344, "km"),
        (catalogue.RANGE, {"value": 100, "unit": "mi"}, 160.9344, "km"),
        (catalogue.SPEED, {"value": 65, "unit": "kph"}, 65, "km/h"),
        (catalogue.SPEED, {"value": 50, "unit": "mph"}, 80.4672, "km/h"),
        (catalogue.FUEL_REMAINING, {"value": 10, "unit": "gallons"}, 37.8541, "L"),
        (catalogue.EXTERNAL_TEMPERATURE, {"value": 68, "unit": "fahrenheit"}, 20, "celsius"),
        (catalogue.CHARGE_WATTAGE, {"value": 250, "unit": "watts"}, 250, "W"),
        (catalogue.CHARGE_WATTAGE, {"value": 7.4, "unit": "kW"}, 7400, "W"),
        (catalogue.CHARGE_WATTAGE, {"value": 7400, "unit": "kilowatts"}, 7400, "W"),
        (catalogue.TIME_TO_COMPLETE, {"value": 45}, 45, "minute"),
        (catalogue.TIME_TO_COMPLETE, {"value": 45, "unit": "minute"}, 45, "minute"),
        (catalogue.AMPERAGE, {"value": 32, "unit": "ampere"}, 32, "A"),
        (catalogue.CHARGE_VOLTAGE, {"value": 240, "unit": "volts"}, 240, "V"),
        (catalogue.ENERGY_ADDED, {"value": 25.5, "unit": "kWh"}, 25.5, "kWh"),
        (catalogue.DTC_COUNT, {"value": 2, "unit": "count"}, 2, "count"),
    ],
)
def test_numbers_in_canonical_units(signal: Signal, body: dict[str, Any], expected: float, unit: str) -> None:
    assert normalize(signal, body).body == {"value": expected, "unit": unit}


def test_missing_unit_of_minutes_is_not_noted() -> None:
    assert normalize(catalogue.TIME_TO_COMPLETE, {"value": 45}).notes == ()


def test_another_missing_unit_is_noted() -> None:
    assert normalize(catalogue.ODOMETER, {"value": 5}).notes == (CorrectionNote.UNIT_ASSUMED.note(unit="km"),)


def test_watts_called_kilowatts_are_noted() -> None:
    notes = normalize(catalogue.CHARGE_WATTAGE, {"value": 7400, "unit": "kW"}).notes
    assert notes == (CorrectionNote.KILOWATTS_WERE_WATTS.value,)


def test_integers_and_whole_floats_are_equal() -> None:
    assert repr(value_of(catalogue.ODOMETER, {"value": 78.0, "unit": "km"})) == "78"


def test_number_without_a_unit_stays_without() -> None:
    assert normalize(catalogue.CHARGER_PHASES, {"value": 3}).body == {"value": 3}


def test_number_sent_as_text_is_accepted_and_noted() -> None:
    result = normalize(catalogue.ODOMETER, {"value": "120.5", "unit": "km"})
    assert result == Normalized({"value": 120.5, "unit": "km"}, (CorrectionNote.NUMBER_SENT_AS_TEXT.value,))


@pytest.mark.parametrize(
    ("signal", "body"),
    [
        (catalogue.ODOMETER, {"value": "far", "unit": "km"}),
        (catalogue.ODOMETER, {"value": True, "unit": "km"}),
        (catalogue.ODOMETER, {"value": [5], "unit": "km"}),
        (catalogue.ODOMETER, {"value": "nan", "unit": "km"}),
        (catalogue.ODOMETER, {"value": -5, "unit": "km"}),
        (catalogue.ODOMETER, {"value": 5, "unit": "celsius"}),
        (catalogue.ODOMETER, {"value": 5, "unit": "furlong"}),
        (catalogue.ODOMETER, {"value": 5, "unit": 7}),
        (catalogue.RANGE, {"value": 65535, "unit": "km"}),
        (catalogue.SPEED, {"value": 800, "unit": "km/h"}),
        (catalogue.EXTERNAL_TEMPERATURE, {"value": 215, "unit": "celsius"}),
        (catalogue.TIME_TO_COMPLETE, {"value": 65535}),
        (catalogue.CHARGER_PHASES, {"value": 7}),
    ],
)
def test_impossible_value_is_rejected(signal: Signal, body: dict[str, Any]) -> None:
    assert refusal(signal, body)


@pytest.mark.parametrize(
    ("signal", "body", "reason"),
    [
        (
            catalogue.EXTERNAL_TEMPERATURE,
            {"value": 215.5, "unit": "celsius"},
            CorrectionNote.OUT_OF_RANGE.message(value=215.5, low=-90, high=120, unit="°C"),
        ),
        (
            catalogue.CHARGER_PHASES,
            {"value": 7},
            CorrectionNote.NUMBER_OUT_OF_RANGE.message(value=7, low=0, high=3),
        ),
        (
            catalogue.DTC_COUNT,
            {"value": -1},
            CorrectionNote.NUMBER_OUT_OF_RANGE.message(value=-1, low=0, high=1_000_000),
        ),
        (
            catalogue.ODOMETER,
            {"value": 5, "unit": "celsius"},
            CorrectionNote.WRONG_UNIT.message(unit="°C", expected="km"),
        ),
        (
            catalogue.ODOMETER,
            {"value": 5, "unit": "counts"},
            CorrectionNote.WRONG_UNIT.message(unit="count", expected="km"),
        ),
        (catalogue.DTC_COUNT, {"value": 5, "unit": "km"}, CorrectionNote.COUNT_WITH_UNIT.message(unit="km")),
    ],
)
def test_reasons_have_their_numbers_and_units(signal: Signal, body: dict[str, Any], reason: Message) -> None:
    with pytest.raises(ImplausibleValueError) as refused:
        normalize(signal, body)
    assert refused.value.reason == reason


def test_normalizing_translates_no_text() -> None:
    with patch("django.utils.translation._trans.gettext", side_effect=AssertionError("worded")):
        with pytest.raises(NoValueError) as refused:
            normalize(catalogue.ODOMETER, {"unit": "km"})
        assert tires([5000, 250, 100], None).notes
        with pytest.raises(AssertionError, match="worded"):
            str(refused.value)


@pytest.mark.parametrize("signal", CATALOGUE.values(), ids=lambda signal: signal.code)
def test_empty_body_has_no_value(signal: Signal) -> None:
    with pytest.raises(NoValueError):
        normalize(signal, {})


def test_additional_ranges_are_stored_in_km() -> None:
    body = {
        "value": 100,
        "unit": "miles",
        "type": "DEFAULT",
        "additionalValues": [{"type": "rated", "value": 200}],
    }
    assert normalize(catalogue.RANGE, body).body == {
        "value": 160.9344,
        "unit": "km",
        "additionalValues": [{"type": "RATED", "value": 321.8688}],
    }


def test_undocumented_keys_are_removed() -> None:
    assert normalize(catalogue.IS_LOCKED, {"value": True, "unit": "x", "by": "owner"}).body == {"value": True}


# Booleans and text


@pytest.mark.parametrize(("raw", "expected"), [(True, True), (False, False), ("true", True), (0, False)])
def test_booleans(raw: Any, expected: bool) -> None:
    assert value_of(catalogue.IS_LOCKED, {"value": raw}) is expected


@pytest.mark.parametrize("raw", ["locked", 2, [], 1.5])
def test_invalid_boolean_is_rejected(raw: Any) -> None:
    assert refusal(catalogue.IS_LOCKED, {"value": raw})


@pytest.mark.parametrize("placeholder", ["invalid", "<invalid>", "INVALID", "", None])
def test_placeholder_is_not_a_connector(placeholder: Any) -> None:
    with pytest.raises(NoValueError):
        normalize(catalogue.CHARGING_CONNECTOR, {"value": placeholder})


def test_unstorable_characters_are_removed_from_text_and_it_is_truncated() -> None:
    assert value_of(catalogue.NICKNAME, {"value": " Blue\x00bird "}) == "Bluebird"
    assert len(value_of(catalogue.NICKNAME, {"value": "x" * 5000})) == 200


def test_choices_are_upper_case() -> None:
    assert value_of(catalogue.DETAILED_CHARGING_STATUS, {"value": "fully charged"}) == "FULLY_CHARGED"


def test_a_diagnosis() -> None:
    body = {"status": "alert", "description": None, "extra": 1}
    assert normalize(catalogue.MIL, body).body == {"status": "ALERT", "description": ""}


def test_a_drive_mode() -> None:
    body = {"canonical": "normal", "oemDisplayName": "everyday"}
    assert normalize(catalogue.DRIVE_MODE, body).body == {"canonical": "NORMAL", "oemDisplayName": "everyday"}


# Location


def test_location_with_all_documented_fields() -> None:
    body = {
        "latitude": 37.77491234,
        "longitude": -122.4194,
        "heading": 45.5,
        "direction": "ne",
        "altitude": 3,
    }
    assert normalize(catalogue.PRECISE_LOCATION, body | {"locationType": "current"}).body == {
        "latitude": 37.774912,
        "longitude": -122.4194,
        "heading": 45.5,
        "direction": "NE",
        "locationType": "CURRENT",
    }


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(91, 0), (-90.5, 10), (10, 181), (0, 0), (0.0001, -0.0001)]
)
def test_impossible_location_is_rejected_without_repeating_it(latitude: float, longitude: float) -> None:
    reason = refusal(catalogue.PRECISE_LOCATION, {"latitude": latitude, "longitude": longitude})
    assert str(latitude) not in reason.replace("0, 0", "")


@pytest.mark.parametrize("body", [{"latitude": 10}, {"longitude": 10}, {"latitude": None, "longitude": 5}])
def test_incomplete_location_has_no_value(body: dict[str, Any]) -> None:
    with pytest.raises(NoValueError):
        normalize(catalogue.PRECISE_LOCATION, body)


def test_impossible_heading_is_removed_and_the_location_retained() -> None:
    result = normalize(catalogue.PRECISE_LOCATION, {"latitude": 10, "longitude": 20, "heading": 720})
    assert result.body == {"latitude": 10, "longitude": 20}
    assert result.notes == (CorrectionNote.HEADING_LEFT_OUT.value,)


# Closures


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"isOpen": False, "isLocked": True}, {"isOpen": False, "isLocked": True}),
        ({"isOpen": False}, {"isOpen": False, "isLocked": None}),
        ({"isOpen": None, "isLocked": True}, {"isOpen": None, "isLocked": True}),
    ],
)
def test_a_closure(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert normalize(catalogue.FRONT_TRUNK, body).body == expected


def test_closure_without_information() -> None:
    with pytest.raises(NoValueError):
        normalize(catalogue.FRONT_TRUNK, {"isOpen": None, "isLocked": None})


@pytest.mark.parametrize(
    ("signal", "key"),
    [(catalogue.DOORS, "values"), (catalogue.DOORS, "doors"), (catalogue.WINDOWS, "windows")],
)
def test_openings_with_either_key(signal: Signal, key: str) -> None:
    body = {key: [{"row": 0, "column": 1, "isOpen": True, "isLocked": None, "x": 1}], "rowCount": 2}
    assert normalize(signal, body).body == {
        "values": [{"row": 0, "column": 1, "isOpen": True, "isLocked": None}],
        "rowCount": 2,
        "columnCount": 2,
    }


def test_invalid_opening_is_removed_and_the_others_retained() -> None:
    good = {"row": 0, "column": 0, "isOpen": False, "isLocked": True}
    body = {"values": [good, {"row": "x", "column": 0}, {"row": 1, "column": 0, "isOpen": "?"}, 7]}
    result = normalize(catalogue.DOORS, body)
    assert result.body["values"] == [good]
    assert result.notes == (
        CorrectionNote.ENTRIES_LEFT_OUT.note(count=1),
        CorrectionNote.OPENING_LEFT_OUT.value,
    )


# Tires


def tires(pressures: list[Any], unit: str | None) -> Normalized:
    values = [{"row": at // 2, "column": at % 2, "tirePressure": p} for at, p in enumerate(pressures)]
    return normalize(catalogue.TIRES, {"values": values, "unit": unit})


def pressures(pressures: list[Any], unit: str | None) -> list[Any]:
    result = tires(pressures, unit)
    assert result.body["unit"] == "kPa"
    return [tire["tirePressure"] for tire in result.body["values"]]


@pytest.mark.parametrize(
    ("given_pressures", "unit", "expected"),
    [
        ([258, 260.5], "kPa", [258, 260.5]),
        ([258, 260.5], "bar", [258, 260.5]),
        ([2.58, 2.6], "bar", [258, 260]),
        ([36], "psi", [248.2113]),
        ([258], "psi", [258]),
        ([2.5], None, [250]),
        ([36], None, [248.2113]),
        ([250], None, [250]),
        ([0, 250], "kPa", [0, 250]),
    ],
)
def test_tire_pressures_are_in_kpa(given_pressures: list[Any], unit: str | None, expected: list[Any]) -> None:
    assert pressures(given_pressures, unit) == expected


def test_kpa_labeled_as_bar_is_noted() -> None:
    assert tires([258, 255], "bar").notes == (CorrectionNote.KILOPASCALS_MISLABELED.note(unit="bar"),)


@pytest.mark.parametrize("unit", ["bar", "kPa", None])
def test_pressure_699_9_is_a_placeholder(unit: str | None) -> None:
    assert pressures([699.9, 250], unit) == [None, 250]


def test_no_reading_on_any_tire_means_no_value() -> None:
    with pytest.raises(NoValueError):
        tires([699.9, 699.9, None], "bar")


def test_impossible_pressure_is_removed_and_the_others_retained() -> None:
    result = tires([5000, 250, 100], None)
    assert [tire["tirePressure"] for tire in result.body["values"]] == [None, 250, None]
    assert [note_text(note) for note in result.notes] == [
        "A tire pressure was left out. The unit of the pressure was missing and can't be recognized by the number.",
        "The unit was missing; kPa was assumed.",
    ]


# Charge limits, capacity, lists


def test_charge_limits_accept_upper_and_lower_case() -> None:
    home = {"name": "Home", "address": "123 Main St", "latitude": 37.7749, "longitude": -122.4194}
    body = {
        "values": [
            {"type": "global", "limit": 80, "condition": None},
            {"type": "LOCATION", "limit": 0.9, "condition": home | {"color": "red"}},
            {"type": "CONNECTOR", "limit": 400},
        ],
        "activeLimit": 100,
        "unit": "percent",
    }
    assert normalize(catalogue.CHARGE_LIMITS, body).body == {
        "values": [
            {"type": "GLOBAL", "limit": 80, "condition": None},
            {"type": "LOCATION", "limit": 90, "condition": home},
        ],
        "activeLimit": 100,
        "unit": "percent",
    }


def test_unknown_active_limit_stays_unknown() -> None:
    body = {"values": [{"type": "GLOBAL", "limit": 80}], "activeLimit": None, "unit": "percent"}
    assert normalize(catalogue.CHARGE_LIMITS, body).body["activeLimit"] is None


def test_no_charge_limit_means_no_value() -> None:
    with pytest.raises(NoValueError):
        normalize(catalogue.CHARGE_LIMITS, {"values": [], "activeLimit": None, "unit": "percent"})


def test_a_capacity() -> None:
    choices = [
        {"capacity": 73.5, "description": "BEV:Extended Range"},
        {"capacity": 80.9, "description": None},
    ]
    body = {"source": "SMARTCAR", "capacity": 73.5, "availableCapacities": choices, "unit": "kWh"}
    assert normalize(catalogue.NOMINAL_CAPACITY, body).body == {
        "capacity": 73.5,
        "source": "SMARTCAR",
        "availableCapacities": [
            {"capacity": 73.5, "description": "BEV:Extended Range"},
            {"capacity": 80.9, "description": ""},
        ],
        "unit": "kWh",
    }


def test_charge_record_contains_only_documented_fields() -> None:
    record = {
        "id": "CHG123",
        "cost": {"currency": "USD", "otherAmount": 2, "energyAmount": 10.5, "tip": 1},
        "energyAdded": 40.5,
        "isPublicCharger": False,
        "endStateOfCharge": 0.9,
        "startStateOfCharge": 20,
        "secret": "x",
    }
    assert normalize(catalogue.CHARGE_RECORDS, {"values": [record, "nonsense"]}) == Normalized(
        {
            "values": [
                {
                    "id": "CHG123",
                    "cost": {"currency": "USD", "otherAmount": 2, "energyAmount": 10.5},
                    "energyAdded": 40.5,
                    "isPublicCharger": False,
                    "endStateOfCharge": 90,
                    "startStateOfCharge": 20,
                }
            ]
        },
        (CorrectionNote.ENTRIES_LEFT_OUT.note(count=1),),
    )


def test_empty_list_is_a_value() -> None:
    assert normalize(catalogue.DTC_LIST, {"values": []}).body == {"values": []}
