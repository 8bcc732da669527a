"""Connect URLs for a car that is already connected: reauthentication, and the choice of the battery size.

They are the same for both API versions ("Re-authentication: Redirect to Connect", "User Selected Battery Capacity").
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
    """Returns the URL where the driver reauthenticates for this vehicle. `origin` is Connect's.

    `partial` is the URL from an error (`resolution.url`). Its other parameters are retained if it is a Connect URL for
    this same vehicle; any other URL is ignored.
    """
    given = _query(partial, at=f"{origin}{REAUTHENTICATE}")
    if given.get("vehicle_id") != vehicle_id:
        given = {}
    query = {
        "response_type": "vehicle_id",
        "application_id": application_id,
        "client_id": application_id,
        "vehicle_id": vehicle_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "external_id": external_id,
    }
    return f"{origin}{REAUTHENTICATE}?{urlencode({**given, **query})}"


def battery_url(
    *, origin: str, application_id: str, vehicle_id: str, redirect_uri: str, given: str = ""
) -> str:
    """Returns the URL where the driver chooses the battery size. Connect returns no state from this page.

    `given` is the URL from a nominal_capacity response. With its token, valid for 30 days, the driver needn't sign in.
    """
    given_query = _query(given, at=f"{origin}{BATTERY}")
    token = given_query.get("token", "") if given_query.get("vehicle_id") == vehicle_id else ""
    query = {
        "vehicle_id": vehicle_id,
        "client_id": application_id,
        "token": token,
        "response_type": "vehicle_id",
        "redirect_uri": redirect_uri,
    }
    return f"{origin}{BATTERY}?{urlencode({name: value for name, value in query.items() if value})}"


def _query(url: str, *, at: str) -> Mapping[str, str]:
    """Returns the query parameters of a URL; empty if its address isn't `at`."""
    try:
        actual, expected = urlsplit(url), urlsplit(at)
    except ValueError:
        return {}
    if (actual.scheme, actual.netloc, actual.path) != (expected.scheme, expected.netloc, expected.path):
        return {}
    return dict(parse_qsl(actual.query))
