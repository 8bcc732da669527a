"""Notes as the versions before wrote them, in English, become codes."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from core.message_codes import Message
from vehicles import catalogue
from vehicles.correction_notes import CorrectionNote, decode, encode
from vehicles.models import LatestSignal, Vehicle
from vehicles.normalization import normalize

migration = import_module("vehicles.migrations.0009_note_codes")

NO_VALUE = CorrectionNote.NO_VALUE.message()
NOT_A_NUMBER = CorrectionNote.NOT_A_NUMBER.message()
WITH_PARAMETERS = {
    "an additional range was left out: no value was given": CorrectionNote.RANGE_LEFT_OUT.message(
        reason=NO_VALUE
    ),
    "an additional range was left out: 65535 km is outside of 0 to 3000": (
        CorrectionNote.RANGE_LEFT_OUT.message(
            reason=CorrectionNote.OUT_OF_RANGE.message(value=65535, low=0, high=3000, unit="km")
        )
    ),
    "a charge limit was left out: the value is not a number": (
        CorrectionNote.CHARGE_LIMIT_LEFT_OUT.message(reason=NOT_A_NUMBER)
    ),
    "a tire's pressure was refused: 34473.786 kPa is outside of 0 to 1100": (
        CorrectionNote.TIRE_PRESSURE_LEFT_OUT.message(
            reason=CorrectionNote.OUT_OF_RANGE.message(value=34473.786, low=0, high=1100, unit="kPa")
        )
    ),
    "3 entries of the list were left out": CorrectionNote.ENTRIES_LEFT_OUT.message(count=3),
    "the unit was missing, taken as km/h": CorrectionNote.UNIT_ASSUMED.message(unit="km/h"),
    "the unit was missing, taken as celsius": CorrectionNote.UNIT_ASSUMED.message(unit="°C"),
    "kPa were called bar": CorrectionNote.KILOPASCALS_MISLABELED.message(unit="bar"),
    "the unit is fahrenheit where km or its like is measured": (
        CorrectionNote.WRONG_UNIT.message(unit="°F", expected="km")
    ),
    "the unit is km where percent or its like is measured": (
        CorrectionNote.WRONG_UNIT.message(unit="km", expected="%")
    ),
    "the unit is km where count or its like is measured": CorrectionNote.COUNT_WITH_UNIT.message(unit="km"),
    "255 percent is outside of 0 to 100": (
        CorrectionNote.OUT_OF_RANGE.message(value=255, low=0, high=100, unit="%")
    ),
    "-95.5556 celsius is outside of -90 to 120": (
        CorrectionNote.OUT_OF_RANGE.message(value=-95.5556, low=-90, high=120, unit="°C")
    ),
    "65535 minute is outside of 0 to 20160": (
        CorrectionNote.OUT_OF_RANGE.message(value=65535, low=0, high=20160, unit="min")
    ),
    "-1 count is outside of 0 to 1000000": (
        CorrectionNote.NUMBER_OUT_OF_RANGE.message(value=-1, low=0, high=1000000)
    ),
    "7 is outside of 0 to 3": CorrectionNote.NUMBER_OUT_OF_RANGE.message(value=7, low=0, high=3),
}
WRITTEN = {text: Message(code) for text, code in migration.CODES.items()} | WITH_PARAMETERS
UNKNOWN = [
    "A text of somebody else.",
    "a charge limit was left out: for a reason of somebody else",
    "value.no_value",
    '{"code":"value.unit_assumed","params":{"unit":"km"}}',
    "",
]


def migrated(row: LatestSignal) -> LatestSignal:
    with connection.schema_editor() as editor:
        migration.carry_over(apps, editor)
    row.refresh_from_db()
    return row


def written(vehicle: Vehicle, **fields: object) -> LatestSignal:
    values = {"code": catalogue.RANGE.code, "status": "SUCCESS", "reported_at": timezone.now()} | fields
    return LatestSignal.objects.create(vehicle=vehicle, **values)


@pytest.mark.parametrize(("text", "message"), WRITTEN.items())
def test_a_text_becomes_the_code_that_is_written_now(text: str, message: Message) -> None:
    assert migration.encoded(text) == encode(message)


def test_every_code_is_known_and_every_note_has_its_text() -> None:
    # Codes that version 0.1 had no text for.
    later = {
        CorrectionNote.CLOCK_BEHIND.value,
        CorrectionNote.WRONG_PRESSURE_UNIT.value,
        CorrectionNote.COORDINATES_SWAPPED.value,
        CorrectionNote.LOCATION_JUMPED.value,
        CorrectionNote.COUNTER_FELL.value,
        CorrectionNote.COUNTER_JUMPED.value,
        CorrectionNote.WATTS_WERE_KILOWATTS.value,
        CorrectionNote.KILOWATT_HOURS_WERE_WATT_HOURS.value,
        CorrectionNote.PRESSURE_MISLABELED.value,
        CorrectionNote.NEW_INSTRUMENT.value,
        CorrectionNote.LOCATION_CONFIRMED.value,
    }
    assert {message.code for message in WRITTEN.values()} == set(CorrectionNote.values) - later


@pytest.mark.parametrize("text", UNKNOWN)
def test_an_unknown_text_and_a_code_stay(text: str) -> None:
    assert migration.encoded(text) == text


def test_a_converted_note_equals_what_normalizing_the_same_value_writes() -> None:
    (note,) = normalize(catalogue.EXTERNAL_TEMPERATURE, {"value": 20}).notes
    assert migration.encoded("the unit was missing, taken as celsius") == note


@pytest.mark.django_db
def test_all_notes_of_a_row_are_converted_in_order(vehicle: Vehicle) -> None:
    row = migrated(written(vehicle, notes=[*WRITTEN, *UNKNOWN]))
    assert row.notes == [*map(encode, WRITTEN.values()), *UNKNOWN]
    assert migrated(row).notes == row.notes


@pytest.mark.django_db
def test_the_reason_of_a_rejected_value_becomes_a_code(vehicle: Vehicle) -> None:
    text = "65535 km is outside of 0 to 3000"
    row = written(vehicle, status="ERROR", error_type="REFUSED", error_description=text)
    assert decode(migrated(row).error_description) == (
        CorrectionNote.OUT_OF_RANGE.message(value=65535, low=0, high=3000, unit="km")
    )
    assert row.rejection_reason == "65,535 km is outside of the plausible range from 0 to 3,000."


@pytest.mark.django_db
def test_the_words_of_smartcar_stay(vehicle: Vehicle) -> None:
    row = written(vehicle, status="ERROR", error_type="UPSTREAM", error_description="no value was given")
    assert migrated(row).error_description == "no value was given"


@pytest.mark.django_db
def test_vehicles_of_every_batch_are_converted(vehicle: Vehicle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "_BATCH", 1)
    others = [Vehicle.objects.create(fleet=vehicle.fleet, smartcar_id=f"car-{number}") for number in range(3)]
    rows = [written(each, notes=["the number was sent as text"]) for each in (vehicle, *others)]
    migrated(rows[0])
    stored = LatestSignal.objects.values_list("notes", flat=True)
    assert list(stored) == [[CorrectionNote.NUMBER_SENT_AS_TEXT.value]] * 4
