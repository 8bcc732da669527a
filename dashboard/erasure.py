"""Deletes saved views that search for a vehicle whose data is erased."""

from urllib.parse import parse_qsl

from django.utils.translation import gettext_lazy as _

from connect.offboarding import erasure_handlers
from connect.offboarding.erasure_target import ErasureHandler, ErasureTarget
from connect.offboarding.vehicle_erasure import identity_retained
from dashboard.vehicle_list.saved_models import SavedView

# Shorter texts are also parts of other searches.
_SHORTEST = 4


def erase_saved_views(target: ErasureTarget, limit: int) -> int:
    """Deletes at most `limit` of the fleet's saved views that name the vehicle or its driver. Returns how many."""
    vehicle = target.vehicle
    identity = (vehicle.vin, vehicle.plate, vehicle.name, vehicle.driver)
    texts = {text.lower() for text in identity if len(text) >= _SHORTEST}
    found = [
        view.pk
        for view in SavedView.objects.filter(fleet=vehicle.fleet_id)
        if any(text in f"{view.name} {_values(view)}".lower() for text in texts)
    ]
    return SavedView.objects.filter(pk__in=found[:limit]).delete()[0]


def _values(view: SavedView) -> str:
    return " ".join(value for _, value in parse_qsl(view.query))


def register() -> None:
    """Registers the erasure of saved views with offboarding."""
    handler = ErasureHandler(
        "saved_views", _("Saved views that name the vehicle"), erase_saved_views, identity_retained
    )
    erasure_handlers.register(handler)
