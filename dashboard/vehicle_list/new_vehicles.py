"""Naming vehicles right after they were connected: name, plate, group and driver above the list."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import QueryDict

from accounts.models import Fleet, User
from dashboard.vehicle_page.settings_views import DetailsForm
from vehicles import details
from vehicles.models import Vehicle
from vehicles.selectors import list_vehicles

# One authorization connects all vehicles of an account; more would make a page of their own.
MAX_VEHICLES = 20


def parse_ids(text: str) -> list[str]:
    """Returns the Smartcar IDs in a URL's parameter, at most MAX_VEHICLES."""
    return [each for each in text[:2000].split(",") if each and "\x00" not in each][:MAX_VEHICLES]


def forms_for(
    *, fleet: Fleet, smartcar_ids: Iterable[str], data: QueryDict | None = None
) -> list[DetailsForm]:
    """Returns a form for each of these vehicles of the fleet. IDs of other vehicles are ignored."""
    vehicles = list_vehicles(fleet=fleet).filter(smartcar_id__in=list(smartcar_ids)[:MAX_VEHICLES])
    return [DetailsForm(data, instance=vehicle, prefix=vehicle.smartcar_id) for vehicle in vehicles]


def save(*, fleet: Fleet, forms: Sequence[DetailsForm], user: User) -> None:
    """Stores the valid forms' details, with an entry in the audit log for each changed vehicle."""
    for form in forms:
        vehicle: Vehicle = form.instance
        vehicle.refresh_from_db(fields=details.FIELDS)
        vehicle.fleet = fleet
        values: dict[str, Any] = {name: getattr(vehicle, name) for name in details.FIELDS}
        details.update_details(vehicle=vehicle, values=values | form.cleaned_data, actor=user)
