"""Forgetting what a driver does not want to be known any more."""

from collections.abc import Iterable

from vehicles.catalogue import CATALOGUE
from vehicles.models import LatestSignal

# The signals that tell where a car is.
PLACE_CODES = frozenset(code for code, signal in CATALOGUE.items() if signal.permission == "read_location")


def forget_latest_places(*, vehicle_ids: Iterable[int]) -> int:
    """Drops the last known place of these cars, so that no page shows it; history stays. Returns how many rows."""
    rows = LatestSignal.objects.filter(vehicle_id__in=list(vehicle_ids), code__in=PLACE_CODES)
    return rows.delete()[0]
