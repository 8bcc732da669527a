"""Vehicle locations for creating places. Locations that a driver hides remain hidden."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from accounts.models import Fleet
from connect.driver_portal import privacy
from vehicles import catalogue
from vehicles.models import Vehicle, VehicleSnapshot
from vehicles.selectors import list_states, list_vehicles

_MAX_OFFERED = 300


@dataclass(frozen=True, slots=True)
class Area:
    """A section of the map, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def __str__(self) -> str:
        return f"{self.west:.4f},{self.south:.4f},{self.east:.4f},{self.north:.4f}"


def vehicles_area(*, fleet: Fleet) -> Area | None:
    """Returns the area with the fleet's vehicles (at most _MAX_OFFERED of them); None if no location is known."""
    now = timezone.now()
    location_privacy = privacy.privacy_for_fleet(fleet=fleet, now=now)
    located = VehicleSnapshot.objects.filter(
        vehicle__fleet=fleet, latitude__isnull=False, longitude__isnull=False
    )
    rows = located.order_by("vehicle_id").values_list("vehicle_id", "latitude", "longitude")[:_MAX_OFFERED]
    visible = [(lat, lon) for vehicle, lat, lon in rows if not location_privacy.is_hidden(vehicle, at=now)]
    if not visible:
        return None
    latitudes, longitudes = zip(*visible, strict=True)
    return Area(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def vehicle_names(*, fleet: Fleet) -> list[str]:
    """Returns the names of the fleet's vehicles, of at most _MAX_OFFERED of them."""
    return list(dict.fromkeys(str(vehicle) for vehicle in list_vehicles(fleet=fleet)[:_MAX_OFFERED]))


def find_vehicle_by_name(*, fleet: Fleet, name: str) -> Vehicle | None:
    """Returns the only vehicle with this name, plate or Smartcar vehicle ID; None if there is none, or several."""
    name_or_id = name.strip()
    if not name_or_id:
        return None
    vehicles = list_vehicles(fleet=fleet)
    matches = Q(name__iexact=name_or_id) | Q(plate__iexact=name_or_id) | Q(smartcar_id=name_or_id)
    found = list(vehicles.filter(matches)[:2]) or [
        vehicle for vehicle in vehicles.filter(name="")[:_MAX_OFFERED] if str(vehicle) == name_or_id
    ]
    return found[0] if len(found) == 1 else None


def vehicle_position(*, vehicle: Vehicle) -> tuple[float, float] | None:
    """Returns the vehicle's last known latitude and longitude; None if they are unknown or hidden by the driver."""
    (state,) = list_states(vehicles=[vehicle], signals=[catalogue.PRECISE_LOCATION])
    row = state.signal(catalogue.PRECISE_LOCATION)
    return (row.body["latitude"], row.body["longitude"]) if row is not None and row.body else None
