"""Which fleets an application's vehicles can join, and which do."""

from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import Fleet, SmartcarApiVersion
from connect import applications
from connect.models import AdoptionRule, Connection, SmartcarApplication
from connect.status.states import TERMINATED


def fleets_using(*, application: SmartcarApplication | None) -> QuerySet[Fleet]:
    """Returns the fleets that use the application for new connections, or still have vehicles connected through it."""
    choice = (
        Fleet.objects.filter(application_choice=None)
        if application is None
        else Fleet.objects.filter(application_choice__application=application)
    )
    connected = Connection.objects.filter(application=application).exclude(state__in=TERMINATED)
    return (choice | Fleet.objects.filter(pk__in=connected.values("fleet"))).distinct().order_by("pk")


@dataclass(frozen=True, slots=True)
class Adoption:
    """A fleet's rules for vehicles that Smartcar connects by itself, and how many vehicles joined.

    `possible`: an owner may name the fleet, since no other fleet uses the application. `offered`: the fleet uses v3.
    """

    rules: list[AdoptionRule]
    vehicles: int
    possible: bool
    offered: bool


def get_adoption(*, fleet: Fleet) -> Adoption:
    """Returns the fleet's rules."""
    row = applications.for_fleet(fleet).row
    adopted = Connection.objects.filter(fleet=fleet).exclude(adopted_at=None).exclude(state__in=TERMINATED)
    return Adoption(
        rules=list(AdoptionRule.objects.filter(fleet=fleet)),
        vehicles=adopted.count(),
        possible=list(fleets_using(application=row)) == [fleet],
        offered=fleet.api_version == SmartcarApiVersion.V3,
    )
