"""Addresses of Connect for a car that is connected already: signing in again, and the battery size.

Both API versions share them ("Re-authentication: Redirect to Connect", "User Selected Battery Capacity").
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

REAUTHENTICATE = "/oauth/reauthenticate"
BATTERY = "/battery-capacity"


def reauthenticate_url(
    *,
    origin: str,
    application_id: str,
    vehicle_id: str,
    redirect_uri: str,
    state: str,
    external_id: str,
    partial: str = "",
) -> str:
    """Where the driver signs in again for this car. `origin` is Connect's.

    `partial` is the address that came with an error (`resolution.url`): what else it asks for is kept, if it is one
    of Connect for this very car; an address of anybody else is never followed.
    """
    given = _query(partial, at=f"{origin}{REAUTHENTICATE}")
    if given.get("vehicle_id") != vehicle_id:
        given = {}
    ours = {
        "response_type": "vehicle_id",
        "application_id": application_id,
        "client_id": application_id,
        "vehicle_id": vehicle_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "external_id": external_id,
    }
    return f"{origin}{REAUTHENTICATE}?{urlencode({**given, **ours})}"


def battery_url(
    *, origin: str, application_id: str, vehicle_id: str, redirect_uri: str, given: str = ""
) -> str:
    """Where the driver chooses the battery size of this car. Connect gives no state back from there.

    `given` is the address from a nominal_capacity answer: its token (30 days) spares the driver the sign-in.
    """
    told = _query(given, at=f"{origin}{BATTERY}")
    token = told.get("token", "") if told.get("vehicle_id") == vehicle_id else ""
    query = {
        "vehicle_id": vehicle_id,
        "client_id": application_id,
        "token": token,
        "response_type": "vehicle_id",
        "redirect_uri": redirect_uri,
    }
    return f"{origin}{BATTERY}?{urlencode({name: value for name, value in query.items() if value})}"


def _query(url: str, *, at: str) -> Mapping[str, str]:
    """The query of an address, or nothing if it leads anywhere else than `at`."""
    try:
        there, here = urlsplit(url), urlsplit(at)
    except ValueError:
        return {}
    if (there.scheme, there.netloc, there.path) != (here.scheme, here.netloc, here.path):
        return {}
    return dict(parse_qsl(there.query))
