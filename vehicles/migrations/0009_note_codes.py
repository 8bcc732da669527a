"""Notes on corrected and rejected values become codes, by the English texts that the versions before wrote.

A text that none of them wrote stays. The version before displays the codes as they are, and still writes texts.
"""

import json
import re

from django.db import migrations, transaction

CODES = {
    "there was no body": "value.no_body",
    "no value was given": "value.no_value",
    "no status was given": "value.no_status",
    "no list was given": "value.no_list",
    "no capacity is known": "value.no_capacity",
    "no charge limit is known": "value.no_charge_limit",
    "neither open nor locked is known": "value.no_closure_state",
    "no drive mode is known": "value.no_drive_mode",
    "no opening is known": "value.no_opening_state",
    "no tire gives a reading": "value.no_tire_reading",
    "the car gives a placeholder in place of a value": "value.placeholder",
    "the value is neither true nor false": "value.not_a_boolean",
    "the value is not a list": "value.not_a_list",
    "the value is not a number": "value.not_a_number",
    "the value is not text": "value.not_text",
    "the value is out of all bounds": "value.beyond_all_bounds",
    "the unit is not known": "value.unknown_unit",
    "1 without a unit could be 1 % or 100 %": "value.one_or_hundred_percent",
    "neither a fraction nor a percentage": "value.neither_fraction_nor_percentage",
    "a pressure without a unit, and its size does not tell which": "value.unclear_pressure_unit",
    "the location is not on Earth": "value.impossible_location",
    "the location is 0, 0: no position was known": "value.null_location",
    "not in the catalogue, and too large to keep": "value.unknown_signal_too_large",
    "true or false was sent in another form": "value.boolean_converted",
    "the number was sent as text": "value.number_sent_as_text",
    "the value came without a body around it": "value.sent_without_body",
    "called kilowatts, too large for it, taken as watts": "value.kilowatts_were_watts",
    "a fraction, taken times 100": "value.fraction_converted",
    "a fraction was called percent": "value.fraction_mislabeled",
    "a percentage was called a fraction": "value.percentage_mislabeled",
    "a little above 100 %, taken as 100 %": "value.limited_to_hundred_percent",
    "699.9 means that the sensor gives no reading": "value.no_sensor_reading",
    "a heading outside of 0 to 360 degrees was left out": "value.heading_left_out",
    "an opening that could not be read was left out": "value.opening_left_out",
    "the car's time lies in the future and was left out": "value.time_left_out",
    "a tire without a place was left out": "value.tire_left_out",
    "not in the catalogue": "value.unknown_signal",
    # Between 0.1 and 0.2:
    "the vehicle's time is in the future and was left out": "value.time_left_out",
    "not in the catalogue, and too large to store": "value.unknown_signal_too_large",
}
WITH_REASON = {
    "an additional range was left out: ": "value.range_left_out",
    "a charge limit was left out: ": "value.charge_limit_left_out",
    "a tire's pressure was refused: ": "value.tire_pressure_left_out",
}
SYMBOLS = {"percent": "%", "celsius": "°C", "fahrenheit": "°F", "minute": "min"}
_NUMBER = r"-?[0-9.]+(?:e[-+]?[0-9]+)?"

_BATCH = 500  # vehicles
# As in vehicles.services.lock_vehicles: whoever writes signals holds these locks, taken in this order.
_LOCK = "SELECT id FROM vehicles_vehicle WHERE id > %s AND id <= %s ORDER BY id FOR NO KEY UPDATE"
_LOAD = """
    SELECT vehicle_id, code, notes, error_type, error_description FROM vehicles_latestsignal
    WHERE vehicle_id > %s AND vehicle_id <= %s AND (notes <> '{}' OR error_type = 'REFUSED')
"""
_STORE = """
    UPDATE vehicles_latestsignal SET notes = %s, error_description = %s WHERE vehicle_id = %s AND code = %s
"""


def encoded(text):
    """The note as the app encodes it, or the text itself if it is unknown."""
    code, params = parsed(text)
    if not code:
        return text
    if not params:
        return code
    return json.dumps({"code": code, "params": params}, ensure_ascii=False, separators=(",", ":"))


def parsed(text):
    """Code and parameters of a text; ("", {}) if it is unknown."""
    if text in CODES:
        return CODES[text], {}
    for prefix, code in WITH_REASON.items():
        if text.startswith(prefix):
            reason, params = parsed(text.removeprefix(prefix))
            return (code, {"reason": {"code": reason, "params": params}}) if reason else ("", {})
    for pattern, read in _PATTERNS:
        if match := pattern.fullmatch(text):
            return read(match)
    return "", {}


def _unit_assumed(match):
    return "value.unit_assumed", {"unit": _symbol(match["unit"])}


def _kilopascals_mislabeled(match):
    return "value.kilopascals_mislabeled", {"unit": _symbol(match["unit"])}


def _entries_left_out(match):
    return "value.entries_left_out", {"count": int(match["count"])}


def _wrong_unit(match):
    if match["expected"] == "count":
        return "value.count_with_unit", {"unit": _symbol(match["unit"])}
    return "value.wrong_unit", {name: _symbol(match[name]) for name in ("unit", "expected")}


def _out_of_range(match):
    numbers = {name: _number(match[name]) for name in ("value", "low", "high")}
    if match["unit"] in (None, "count"):
        return "value.number_out_of_range", numbers
    return "value.out_of_range", numbers | {"unit": _symbol(match["unit"])}


def _symbol(unit):
    return SYMBOLS.get(unit, unit)


def _number(text):
    return int(text) if text.lstrip("-").isdigit() else float(text)


_PATTERNS = [
    (re.compile(pattern), read)
    for pattern, read in (
        (r"the unit was missing, taken as (?P<unit>\S+)", _unit_assumed),
        (r"kPa were called (?P<unit>\S+)", _kilopascals_mislabeled),
        (r"(?P<count>[0-9]+) entries of the list were left out", _entries_left_out),
        (r"the unit is (?P<unit>\S+) where (?P<expected>\S+) or its like is measured", _wrong_unit),
        (
            rf"(?P<value>{_NUMBER})(?: (?P<unit>\S+))? is outside of (?P<low>{_NUMBER}) to (?P<high>{_NUMBER})",
            _out_of_range,
        ),
    )
]


def carry_over(apps, schema_editor):
    """In batches with a transaction each, so that deliveries are processed meanwhile."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM vehicles_vehicle")
        first, last = cursor.fetchone()
        for below in range(first - 1, last, _BATCH):
            with transaction.atomic(using=schema_editor.connection.alias):
                cursor.execute(_LOCK, [below, below + _BATCH])
                cursor.execute(_LOAD, [below, below + _BATCH])
                cursor.executemany(_STORE, list(_changes(cursor.fetchall())))


def _changes(rows):
    for vehicle_id, code, notes, error_type, description in rows:
        new_notes = [encoded(note) for note in notes]
        new_description = encoded(description) if error_type == "REFUSED" else description
        if (new_notes, new_description) != (notes, description):
            yield new_notes, new_description, vehicle_id, code


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("vehicles", "0008_labels")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
