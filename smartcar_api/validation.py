"""Checks the parameters of commands before anything is sent ("Charge Limit", "Send Destination")."""

from smartcar_api.errors import not_sent

CHARGE_LIMIT = range(50, 101)


def checked_percent(percent: int) -> int:
    """Returns a charge limit in whole percent from 50 to 100. Raises SmartcarError for other values."""
    if isinstance(percent, bool) or not isinstance(percent, int) or percent not in CHARGE_LIMIT:
        raise not_sent("a charge limit is a whole percentage from 50 to 100")
    return percent


def checked_place(*, latitude: float, longitude: float) -> dict[str, float]:
    """Returns the coordinates in Smartcar's form. Raises SmartcarError outside of 90 and 180 degrees."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise not_sent("a place is a latitude within 90 and a longitude within 180 degrees")
    return {"latitude": latitude, "longitude": longitude}
