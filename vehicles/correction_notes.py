"""Notes on how a received value was corrected, or why it was rejected, as codes with parameters (core.message_codes).

`LatestSignal.notes` stores each as one string: the bare code, or JSON with the code and its parameters. So does
`LatestSignal.error_description` for a rejected value. They are worded in the reader's language when displayed.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from core.message_codes import Message, MessageCatalog, render


class Count(MessageCatalog):
    """Counts with their unit, as parameters of notes."""

    KILOMETERS = "count.kilometers", _("%(count)s kilometers")
    TIMES_CHARGED = "count.times_charged", _("%(count)s charges to full range")


class CorrectionNote(MessageCatalog):
    """What was corrected, and why values were rejected or left out. `note` returns a member as it is stored."""

    # There is no value.
    NO_BODY = "value.no_body", _("The signal was sent without data.")
    NO_VALUE = "value.no_value", _("No value was sent.")
    NO_STATUS = "value.no_status", _("No status was sent.")
    NO_LIST = "value.no_list", _("No list was sent.")
    NO_CAPACITY = "value.no_capacity", _("No battery capacity was sent.")
    NO_CHARGE_LIMIT = "value.no_charge_limit", _("No charge limit was sent.")
    NO_CLOSURE_STATE = "value.no_closure_state", _("Neither an open nor a locked state was sent.")
    NO_DRIVE_MODE = "value.no_drive_mode", _("No drive mode was sent.")
    NO_OPENING_STATE = "value.no_opening_state", _("No state of a door or window was sent.")
    NO_TIRE_READING = "value.no_tire_reading", _("None of the tire sensors sent a reading.")
    PLACEHOLDER = "value.placeholder", _("A placeholder was sent instead of a value.")

    # The value is implausible or can't be parsed.
    NOT_A_BOOLEAN = "value.not_a_boolean", _("The value is neither true nor false.")
    NOT_A_LIST = "value.not_a_list", _("The value isn't a list.")
    NOT_A_NUMBER = "value.not_a_number", _("The value isn't a number.")
    NOT_TEXT = "value.not_text", _("The value isn't text.")
    BEYOND_ALL_BOUNDS = "value.beyond_all_bounds", _("The number is beyond all bounds.")
    OUT_OF_RANGE = (
        "value.out_of_range",
        _("%(value)s %(unit)s is outside of the plausible range from %(low)s to %(high)s."),
    )
    NUMBER_OUT_OF_RANGE = (
        "value.number_out_of_range",
        _("%(value)s is outside of the plausible range from %(low)s to %(high)s."),
    )
    UNKNOWN_UNIT = "value.unknown_unit", _("The unit is unknown.")
    WRONG_UNIT = (
        "value.wrong_unit",
        _("The unit was %(unit)s, but this signal is measured in %(expected)s."),
    )
    COUNT_WITH_UNIT = "value.count_with_unit", _("The unit was %(unit)s, but this signal is a count.")
    ONE_OR_HUNDRED_PERCENT = "value.one_or_hundred_percent", _("1 without a unit could be 1%% or 100%%.")
    NEITHER_FRACTION_NOR_PERCENTAGE = (
        "value.neither_fraction_nor_percentage",
        _("The value can be neither a fraction nor a percentage."),
    )
    UNCLEAR_PRESSURE_UNIT = (
        "value.unclear_pressure_unit",
        _("The unit of the pressure was missing and can't be recognized by the number."),
    )
    WRONG_PRESSURE_UNIT = (
        "value.wrong_pressure_unit",
        _("No tire has this pressure in %(unit)s, and the right unit can't be recognized by the number."),
    )
    IMPOSSIBLE_LOCATION = "value.impossible_location", _("These coordinates don't exist.")
    NULL_LOCATION = "value.null_location", _("The coordinates 0, 0 mean that the location was unknown.")
    COORDINATES_SWAPPED = (
        "value.coordinates_swapped",
        _(
            "Latitude and longitude seem to be swapped. The location isn't used unless several deliveries in a row "
            "agree on it."
        ),
    )
    LOCATION_JUMPED = (
        "value.location_jumped",
        _(
            "The vehicle can't have come this far since its last location. The location isn't used unless several "
            "deliveries in a row agree on it."
        ),
    )
    COUNTER_FELL = (
        "value.counter_fell",
        _(
            "%(value)s is less than the last count, %(before)s. The number isn't used unless several deliveries in a "
            "row agree on it."
        ),
    )
    COUNTER_JUMPED = (
        "value.counter_jumped",
        _(
            "%(value)s is more than can have been added to the last count, %(before)s. The number isn't used unless "
            "several deliveries in a row agree on it."
        ),
    )
    UNKNOWN_SIGNAL_TOO_LARGE = (
        "value.unknown_signal_too_large",
        _("This signal isn't in the catalog, and its value is too large to be stored."),
    )

    # The value was corrected, or a part of it left out.
    BOOLEAN_CONVERTED = (
        "value.boolean_converted",
        _("The value was converted to true or false from another form."),
    )
    NUMBER_SENT_AS_TEXT = "value.number_sent_as_text", _("The number was sent as text.")
    SENT_WITHOUT_BODY = (
        "value.sent_without_body",
        _("The value was sent on its own, without the usual structure."),
    )
    UNIT_ASSUMED = "value.unit_assumed", _("The unit was missing; %(unit)s was assumed.")
    KILOWATTS_WERE_WATTS = (
        "value.kilowatts_were_watts",
        _("The number is too large for kilowatts; watts were assumed."),
    )
    WATTS_WERE_KILOWATTS = (
        "value.watts_were_kilowatts",
        _("The number is too small for watts; kilowatts were assumed."),
    )
    KILOWATT_HOURS_WERE_WATT_HOURS = (
        "value.kilowatt_hours_were_watt_hours",
        _("The number is too large for kilowatt-hours; watt-hours were assumed."),
    )
    PRESSURE_MISLABELED = (
        "value.pressure_mislabeled",
        _("A pressure in %(actual)s was labeled %(unit)s."),
    )
    KILOPASCALS_MISLABELED = "value.kilopascals_mislabeled", _("A pressure in kPa was labeled %(unit)s.")
    FRACTION_CONVERTED = "value.fraction_converted", _("A fraction was converted to a percentage.")
    FRACTION_MISLABELED = (
        "value.fraction_mislabeled",
        _("A fraction was labeled a percentage and was converted to one."),
    )
    PERCENTAGE_MISLABELED = "value.percentage_mislabeled", _("A percentage was labeled a fraction.")
    LIMITED_TO_HUNDRED_PERCENT = (
        "value.limited_to_hundred_percent",
        _("A value slightly above 100%% was changed to 100%%."),
    )
    NO_SENSOR_READING = (
        "value.no_sensor_reading",
        _("The number 699.9 means that the tire sensor has no reading."),
    )
    CHARGE_LIMIT_LEFT_OUT = "value.charge_limit_left_out", _("A charge limit was left out. %(reason)s")
    ENTRIES_LEFT_OUT = "value.entries_left_out", _("Entries left out of the list: %(count)s.")
    HEADING_LEFT_OUT = (
        "value.heading_left_out",
        _("A heading outside of 0 to 360 degrees was left out."),
    )
    OPENING_LEFT_OUT = (
        "value.opening_left_out",
        _("A door or window whose state couldn't be read was left out."),
    )
    RANGE_LEFT_OUT = "value.range_left_out", _("An additional range was left out. %(reason)s")
    TIME_LEFT_OUT = (
        "value.time_left_out",
        _("The vehicle timestamp was in the future and was left out."),
    )
    CLOCK_BEHIND = (
        "value.clock_behind",
        _("The vehicle's clock is behind; the time of retrieval was used."),
    )
    TIRE_LEFT_OUT = "value.tire_left_out", _("A tire without a position was left out.")
    TIRE_PRESSURE_LEFT_OUT = "value.tire_pressure_left_out", _("A tire pressure was left out. %(reason)s")

    # The value is accepted although it contradicts earlier ones.
    NEW_INSTRUMENT = (
        "value.new_instrument",
        _(
            "Several deliveries in a row agree on a new count, as after a change of the instrument. The last count was "
            "%(before)s."
        ),
    )
    LOCATION_CONFIRMED = (
        "value.location_confirmed",
        _("Several deliveries in a row agree on this location, which is far from the one before."),
    )

    # The value is stored as received.
    UNKNOWN_SIGNAL = (
        "value.unknown_signal",
        _("This signal isn't in the catalog, so its value wasn't checked."),
    )

    def note(self, **params: Any) -> str:
        """Returns the note with these parameters as it is stored. Nothing is worded or translated."""
        return encode(self.message(**params))


def encode(message: Message) -> str:
    """Returns the message as it is stored: the code, or JSON if it has parameters."""
    if not message.params:
        return message.code
    return orjson.dumps(message.as_param()).decode()


def decode(stored: str) -> Message:
    """Returns a stored note. The code is the whole text if it isn't a known note, such as one of an old version."""
    if stored.startswith("{"):
        try:
            note = orjson.loads(stored)
        except orjson.JSONDecodeError:
            note = {}
        if isinstance(note.get("code"), str) and isinstance(note.get("params"), dict):
            return Message(note["code"], note["params"])
    return Message(stored)


def note_text(stored: str) -> str:
    """Returns a stored note in the active language. An unknown code and a text are returned as they are."""
    message = decode(stored)
    return render(message.code, _formatted(message.params))


def _formatted(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _format(value) for name, value in params.items()}


def _format(value: Any) -> Any:
    if isinstance(value, int | float):
        return number_format(value, force_grouping=True)
    if isinstance(value, Mapping) and isinstance(value.get("params"), Mapping):
        return {**value, "params": _formatted(value["params"])}
    return value
