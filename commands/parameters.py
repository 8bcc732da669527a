"""What a command carries: read from a form or from JSON, and told in words. No database."""

import re
from collections.abc import Callable, Mapping

from commands.kinds import Kind

Parameters = dict[str, int | float]

LEAST_LIMIT, MOST_LIMIT = 50, 100
_WHOLE = re.compile(r"[0-9]{1,3}", re.ASCII)
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?", re.ASCII)


class InvalidParametersError(ValueError):
    """A command cannot be asked for with these parameters; str() says what to enter, fit for people."""


def parse(kind: Kind, given: Mapping[str, object]) -> Parameters:
    """The command's parameters; names it does not know are left out (a form has others beside them).

    `set_charge_limit` takes `percent`, whole, from 50 to 100; `set_destination` takes `latitude` and
    `longitude` in degrees, kept to the sixth place (0.1 m); the others take nothing. Numbers, or text as a form
    sends it. Raises InvalidParametersError.
    """
    read = _READERS.get(kind)
    return read(given) if read else {}


def in_words(kind: Kind, parameters: Mapping[str, int | float]) -> str:
    """The parameters as people write them, "80 %"; empty for a command without."""
    if kind == Kind.SET_CHARGE_LIMIT:
        return f"{parameters['percent']} %"
    if kind == Kind.SET_DESTINATION:
        return f"{parameters['latitude']:.4f}, {parameters['longitude']:.4f}"
    return ""


def _charge_limit(given: Mapping[str, object]) -> Parameters:
    percent = _number(given.get("percent"), _WHOLE)
    if percent is None or percent != int(percent) or not LEAST_LIMIT <= percent <= MOST_LIMIT:
        raise InvalidParametersError(
            f"A charge limit is a whole number from {LEAST_LIMIT} to {MOST_LIMIT} percent. "
            "Correct it and send it again."
        )
    return {"percent": int(percent)}


def _destination(given: Mapping[str, object]) -> Parameters:
    return {
        "latitude": _degrees(given.get("latitude"), name="latitude", most=90),
        "longitude": _degrees(given.get("longitude"), name="longitude", most=180),
    }


def _degrees(value: object, *, name: str, most: int) -> float:
    degrees = _number(value, _DEGREES)
    if degrees is None or not -most <= degrees <= most:
        raise InvalidParametersError(
            f"A {name} is a number of degrees from -{most} to {most}, for example 52.5163. "
            "Correct it and send it again."
        )
    return round(degrees, 6)


def _number(value: object, form: re.Pattern[str]) -> float | None:
    """A finite number, or text of this form; None for anything else."""
    if isinstance(value, str) and form.fullmatch(value.strip()):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1000:
        return float(value)
    return None


_READERS: Mapping[Kind, Callable[[Mapping[str, object]], Parameters]] = {
    Kind.SET_CHARGE_LIMIT: _charge_limit,
    Kind.SET_DESTINATION: _destination,
}
