"""The kinds of data that can be erased for a vehicle. Apps that import this one register their own at startup."""

from django.utils.translation import gettext_lazy as _

from connect.offboarding import driver_erasure, vehicle_erasure
from connect.offboarding.erasure_target import ErasureHandler
from connect.offboarding.vehicle_erasure import identity_retained, only_places
from vehicles.erasure import History

_registered: list[ErasureHandler] = []


def register(handler: ErasureHandler) -> None:
    """Registers a handler at startup. A kind that is already registered is ignored."""
    if all(each.kind != handler.kind for each in _registered):
        _registered.append(handler)


def all_handlers() -> list[ErasureHandler]:
    """All handlers in the order in which they run: data that identifies the vehicle is erased last."""
    return [*_HISTORY, *_registered, *_OWN]


_HISTORY = (
    ErasureHandler("readings", _("History data points"), vehicle_erasure.erase_history(History.READINGS)),
    ErasureHandler(
        "summaries",
        _("Hourly and daily summaries"),
        vehicle_erasure.erase_history(History.DUE_HOURS, History.DUE_DAYS, History.HOURS, History.DAYS),
    ),
    ErasureHandler("latest", _("Latest values"), vehicle_erasure.erase_latest),
)
_OWN = (
    ErasureHandler(
        "driver_times",
        _("Driver's working hours and pauses"),
        vehicle_erasure.erase_driver_times,
        only_places,
    ),
    ErasureHandler(
        "invitations", _("VINs in invitations"), vehicle_erasure.erase_invited_vins, identity_retained
    ),
    ErasureHandler(
        "drivers", _("Driver's name and email address"), driver_erasure.erase, driver_erasure.skip_reason
    ),
    ErasureHandler("notices", _("Alerts"), vehicle_erasure.erase_alerts, only_places),
    ErasureHandler(
        "addresses",
        _("Manufacturer sign-in URLs and messages from Smartcar"),
        vehicle_erasure.erase_texts,
        identity_retained,
    ),
    ErasureHandler("usage", _("API call counts"), vehicle_erasure.erase_usage, identity_retained),
    ErasureHandler("identity", _("VIN, name and plate"), vehicle_erasure.erase_identity, identity_retained),
)
