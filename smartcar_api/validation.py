"""What a command may carry, checked before anything leaves this machine ("Charge Limit", "Send Destination")."""

from smartcar_api.errors import not_sent

CHARGE_LIMIT = range(50, 101)


def checked_percent(percent: int) -> int:
    """A charge limit in whole percent from 50 to 100. Raises SmartcarError otherwise."""
    if isinstance(percent, bool) or not isinstance(percent, int) or percent not in CHARGE_LIMIT:
        raise not_sent("a charge limit is a whole percentage from 50 to 100")
    return percent


def checked_place(*, latitude: float, longitude: float) -> dict[str, float]:
    """Degrees, by Smartcar's names for them. Raises SmartcarError outside of 90 and 180 degrees."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise not_sent("a place is a latitude within 90 and a longitude within 180 degrees")
    return {"latitude": latitude, "longitude": longitude}
