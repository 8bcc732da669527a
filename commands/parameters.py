"""Command parameters: parsing them from forms or JSON, and formatting them. No database access."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from commands.types import CommandType
from smartcar_api.schedules import CLOCK, EVERY_DAY, PARTS, WEEK
from vehicles.formatting import with_symbol

Parameters = dict[str, Any]

PLACE = ("latitude", "longitude")
LEAST_LIMIT, MOST_LIMIT = 50, 100
_WHOLE = re.compile(r"[0-9]{1,3}", re.ASCII)
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}", re.ASCII)


class InvalidParametersError(ValueError):
    """The parameters are invalid. str() explains what to enter, for users."""


def parse(kind: CommandType, data: Mapping[str, object]) -> Parameters:
    """Returns the command's parameters. Unknown names are ignored, as a form has other fields, too.

    `set_charge_limit` takes `percent`, an integer from 50 to 100. `set_destination` takes `latitude` and `longitude` in
    degrees, rounded to six decimal places (0.1 m). `set_charge_schedule` takes a location in the same way, `type`
    (daily, weekly, workweek) and `windows`: for each part of the week `[start, stop]`, with times such as "22:00"; a
    form may send them as `monday_start` and `monday_stop`. `delete_charge_schedule` takes `schedule_id`. The others
    take nothing. Values are numbers, or text as forms send it. Raises InvalidParametersError.
    """
    reader = _READERS.get(kind)
    return reader(data) if reader else {}


def describe_parameters(kind: CommandType, parameters: Mapping[str, Any]) -> str:
    """Returns the parameters for display, such as "80%"; "" without parameters or after an erasure of the location."""
    describe = _DESCRIBERS.get(kind)
    return describe(parameters) if describe and parameters else ""


def part_name(part: str) -> str:
    """Returns the name of a part of the week for use within a sentence: "every day", "Monday"."""
    if part in WEEK:
        return str(WEEKDAYS[WEEK.index(part)])
    names = {EVERY_DAY: _("every day"), "weekdays": _("weekdays"), "weekends": _("weekends")}
    return names.get(part, part)


def _charge_limit(data: Mapping[str, object]) -> Parameters:
    percent = _number(data.get("percent"), _WHOLE)
    if percent is None or percent != int(percent) or not LEAST_LIMIT <= percent <= MOST_LIMIT:
        raise InvalidParametersError(
            _(
                "A charge limit must be a whole number from %(least)d to %(most)d percent. Correct "
                "the value and try again."
            )
            % {"least": LEAST_LIMIT, "most": MOST_LIMIT}
        )
    return {"percent": int(percent)}


def _place(data: Mapping[str, object]) -> Parameters:
    latitude, longitude = _degrees(data.get("latitude"), most=90), _degrees(data.get("longitude"), most=180)
    if latitude is None:
        raise InvalidParametersError(
            _(
                "A latitude must be a number from -90 to 90 degrees, for example 52.5163. Correct "
                "the value and try again."
            )
        )
    if longitude is None:
        raise InvalidParametersError(
            _(
                "A longitude must be a number from -180 to 180 degrees, for example 52.5163. Correct "
                "the value and try again."
            )
        )
    return {"latitude": latitude, "longitude": longitude}


def _degrees(value: object, *, most: int) -> float | None:
    degrees = _number(value, _DEGREES)
    return None if degrees is None or not -most <= degrees <= most else round(degrees, 6)


def _number(value: object, pattern: re.Pattern[str]) -> float | None:
    """Returns a finite number, also from text in this format; None for anything else."""
    if isinstance(value, str) and pattern.fullmatch(value.strip()):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1000:
        return float(value)
    return None


def _schedule(data: Mapping[str, object]) -> Parameters:
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in PARTS:
        raise InvalidParametersError(
            _("A charge schedule's type must be one of: %(types)s.") % {"types": ", ".join(PARTS)}
        )
    windows = {part: _window(part, *times) for part, times in _times(kind, data).items() if any(times)}
    if not windows:
        raise InvalidParametersError(
            _("A charge schedule needs a start time and an end time, for example 22:00.")
        )
    return {"type": kind, **_place(data), "windows": windows}


def _times(kind: str, data: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """Returns the start and stop times of each part of the week, from an object of pairs or from form fields."""
    pairs = data.get("windows")
    if not isinstance(pairs, Mapping):
        return {part: (data.get(f"{part}_start"), data.get(f"{part}_stop")) for part in PARTS[kind]}
    if not set(pairs) <= set(PARTS[kind]):
        raise InvalidParametersError(
            _("A %(type)s schedule can include times only for %(parts)s.")
            % {"type": kind, "parts": ", ".join(PARTS[kind])}
        )
    return {part: _pair(part, pair) for part, pair in pairs.items()}


def _pair(part: str, pair: object) -> tuple[object, object]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise _bad_times(part)
    return pair[0], pair[1]


def _window(part: str, start: object, stop: object) -> list[str]:
    times = [time for time in (start, stop) if isinstance(time, str) and CLOCK.fullmatch(time)]
    if len(times) != 2 or times[0] == times[1]:
        raise _bad_times(part)
    return times


def _bad_times(part: str) -> InvalidParametersError:
    return InvalidParametersError(
        _("The times for %(part)s must be two different times of day, such as 22:00 and 06:00. Correct them.")
        % {"part": part_name(part)}
    )


def _schedule_id(data: Mapping[str, object]) -> Parameters:
    schedule_id = data.get("schedule_id")
    if not isinstance(schedule_id, str) or not _ID.fullmatch(schedule_id):
        raise InvalidParametersError(_("Select the charge schedule to delete."))
    return {"schedule_id": schedule_id}


def _describe_schedule(parameters: Mapping[str, Any]) -> str:
    if "windows" not in parameters:
        return ""
    times: dict[tuple[str, str], list[str]] = {}
    for part, (start, stop) in parameters["windows"].items():
        times.setdefault((start, stop), []).append(part_name(part))
    return "; ".join(f"{', '.join(parts)} {start}–{stop}" for (start, stop), parts in times.items())


_READERS: Mapping[CommandType, Callable[[Mapping[str, object]], Parameters]] = {
    CommandType.SET_CHARGE_LIMIT: _charge_limit,
    CommandType.SET_DESTINATION: _place,
    CommandType.SET_CHARGE_SCHEDULE: _schedule,
    CommandType.DELETE_CHARGE_SCHEDULE: _schedule_id,
}
_DESCRIBERS: Mapping[CommandType, Callable[[Mapping[str, Any]], str]] = {
    CommandType.SET_CHARGE_LIMIT: lambda parameters: with_symbol(str(parameters["percent"]), "%"),
    CommandType.SET_CHARGE_SCHEDULE: _describe_schedule,
}
