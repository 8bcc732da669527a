"""What the tabs of a vehicle's page share: permission checks, header and tab navigation."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet, Membership
from accounts.permissions import Permission, get_membership_or_404, has_permission
from vehicles import labels
from vehicles.models import Vehicle
from vehicles.selectors import get_vehicle


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of the page: its view, its label, and the permission that it requires."""

    view: str
    label: Promise
    right: Permission = Permission.VIEW


OVERVIEW = Tab("dashboard:vehicle", _("Overview"))
HISTORY = Tab("dashboard:vehicle_history", _("History"))
EVENTS = Tab("dashboard:vehicle_events", _("Events"))
SIGNALS = Tab("dashboard:vehicle_signals", _("Signals"))
CONNECTION = Tab("dashboard:vehicle_connection", _("Connection"))
SETTINGS = Tab("dashboard:vehicle_settings", _("Settings"))
TABS = (OVERVIEW, HISTORY, EVENTS, SIGNALS, CONNECTION, SETTINGS)


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the tab navigation."""

    label: Promise
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class VehicleContext:
    """A vehicle, and the membership of the user who requested it."""

    membership: Membership
    vehicle: Vehicle

    @property
    def fleet(self) -> Fleet:
        return self.membership.fleet

    def can(self, right: Permission) -> bool:
        """Whether the member has the permission in the vehicle's fleet."""
        return has_permission(membership=self.membership, right=right)

    def context(self, tab: Tab) -> dict[str, Any]:
        """Returns the context of dashboard/vehicle_page/base_vehicle.html for a tab. No queries."""
        return {
            "membership": self.membership,
            "fleet": self.fleet,
            "vehicle": self.vehicle,
            "units": self.vehicle.units,
            "powertrain": labels.powertrain(self.vehicle.powertrain),
            "facts_line": _facts_line(self.vehicle),
            "tabs": [
                Link(
                    each.label,
                    reverse(each.view, args=[self.fleet.slug, self.vehicle.smartcar_id]),
                    each is tab,
                )
                for each in TABS
                if self.can(each.right)
            ],
            "may_connect": self.can(Permission.CONNECT),
            "may_command": self.can(Permission.COMMAND),
        }


def _facts_line(vehicle: Vehicle) -> str:
    """Returns the vehicle's details next to its name: "Tesla Model 3 2023 · B-CD 123 · Electric"."""
    what = vehicle.description if vehicle.name else ""
    return " · ".join(filter(None, (what, vehicle.plate, labels.powertrain(vehicle.powertrain))))


def vehicle_context(
    request: HttpRequest, *, slug: str, smartcar_id: str, right: Permission = Permission.VIEW
) -> VehicleContext:
    """Returns the vehicle with the user's membership, in two queries.

    Raises Http404 for non-members and for a vehicle of another fleet, and PermissionDenied for members without the
    permission.
    """
    membership = get_membership_or_404(user=request.user, slug=slug, right=right)
    vehicle = get_vehicle(fleet=membership.fleet, smartcar_id=smartcar_id)
    if vehicle is None:
        raise Http404("No such vehicle in this fleet.")
    vehicle.fleet = membership.fleet  # already loaded
    return VehicleContext(membership, vehicle)
