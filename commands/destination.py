"""The destination that a member chose on a vehicle's page: a place of the fleet, or coordinates in one field."""

from collections.abc import Mapping

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import Fleet
from commands.services import InvalidCommandError
from vehicles.places.coordinate_parsing import parse_degrees, parse_pair
from vehicles.places.selectors import get_place

_MOST_LETTERS = 2000


def resolve(*, fleet: Fleet, data: Mapping[str, str]) -> dict[str, str]:
    """Returns the form with the latitude and longitude of what was chosen; unchanged if it has them already.

    `place` is the ID of one of the fleet's places, and `coordinates` a pair or a map link as people paste it. Raises
    InvalidCommandError if there is neither or both, or if it can't be read.
    """
    if "latitude" in data:
        return dict(data)
    place_id, text = data.get("place", "").strip(), data.get("coordinates", "").strip()
    if bool(place_id) == bool(text):
        raise _invalid(_("Select a place or enter coordinates, such as 52.5163, 13.3777."))
    latitude, longitude = _of_place(fleet, place_id) if place_id else _parsed(text)
    return {**data, "latitude": str(latitude), "longitude": str(longitude)}


def _of_place(fleet: Fleet, place_id: str) -> tuple[float, float]:
    place = (
        get_place(fleet=fleet, place_id=int(place_id))
        if place_id.isdecimal() and len(place_id) < 19
        else None
    )
    if place is None:
        raise _invalid(_("This place no longer exists. Select another one."))
    return round(place.latitude, 6), round(place.longitude, 6)


def _parsed(text: str) -> tuple[float, float]:
    language = get_language() or "en"
    pair = parse_pair(text[:_MOST_LETTERS], language=language)
    if pair is not None:
        latitude = parse_degrees(pair[0], limit=90, language=language)
        longitude = parse_degrees(pair[1], limit=180, language=language)
        if latitude is not None and longitude is not None:
            return round(latitude, 6), round(longitude, 6)
    raise _invalid(
        _(
            "These coordinates can't be read. Enter latitude and longitude, such as 52.5163, 13.3777, or paste the "
            "link of a map."
        )
    )


def _invalid(text: str) -> InvalidCommandError:
    return InvalidCommandError(text, name="parameters")
