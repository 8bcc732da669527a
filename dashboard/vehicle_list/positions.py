"""The vehicles on the map, in a compact format, without the locations that drivers hide."""

from collections.abc import Collection
from datetime import datetime

from accounts.models import Fleet
from connect.driver_portal import privacy
from dashboard.vehicle_list import selectors
from dashboard.vehicle_list.filters import Filters

MapFeature = tuple[int, float, float, int | None, str]
"""ID, longitude, latitude (five decimals: about a meter), heading in whole degrees or None, and the marker."""


def map_features(
    *,
    fleet: Fleet,
    filters: Filters,
    now: datetime,
    vins: bool,
    vehicle_ids: Collection[int] | None = None,
) -> list[MapFeature]:
    """Returns the locations of matching vehicles, optionally only of these IDs.

    Four queries for any number of vehicles.
    """
    found = selectors.list_positions(
        fleet=fleet, filters=filters, now=now, vins=vins, vehicle_ids=vehicle_ids
    )
    location_privacy = privacy.privacy_for_fleet(fleet=fleet, now=now)
    return [
        (
            vehicle.id,
            round(vehicle.longitude, 5),
            round(vehicle.latitude, 5),
            None if vehicle.heading is None else round(vehicle.heading),
            vehicle.mark,
        )
        for vehicle in found
        if not location_privacy.is_hidden(vehicle.id, at=now)
    ]
