"""Which drivers have to be asked or reminded."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Fleet
from connect.driver_portal.models import DriverPortal, zone
from connect.models import Connection, ConnectionState, Invitation, ReminderSettings
from connect.reminders.rules import INTERVAL, PATIENCE

# States that only the driver can end, with a sign-in or a grant.
ASKED = (
    ConnectionState.NEEDS_REAUTHENTICATION,
    ConnectionState.PERMISSION_MISSING,
    ConnectionState.SUBSCRIPTION_NEEDED,
)


def get_reminder_settings(*, fleet: Fleet) -> ReminderSettings:
    """Returns the fleet's settings; unsaved default settings if it has none."""
    return ReminderSettings.objects.filter(fleet=fleet).first() or ReminderSettings(fleet=fleet)


def enabled_settings() -> list[ReminderSettings]:
    """Returns the settings of all fleets that ask and remind drivers automatically."""
    return list(ReminderSettings.objects.filter(enabled=True).select_related("fleet").order_by("pk"))


def open_invitations(*, fleet: Fleet, now: datetime) -> QuerySet[Invitation]:
    """Returns the fleet's unused links that were sent by email at least one interval ago."""
    return Invitation.objects.filter(
        fleet=fleet,
        by_email=True,
        used_at=None,
        revoked_at=None,
        expires_at__gt=now,
        created_at__lte=now - INTERVAL,
    ).order_by("pk")


def unasked_connections(*, fleet: Fleet, now: datetime) -> QuerySet[Connection]:
    """Returns connections that wait for their driver, who has an address and wasn't asked since the problem began."""
    asked = Invitation.objects.filter(
        fleet=fleet,
        connection__smartcar_user_id=OuterRef("smartcar_user_id"),
        connection__vehicle__make=OuterRef("vehicle__make"),
        created_at__gte=OuterRef("state_since"),
    )
    reachable = DriverPortal.objects.filter(
        fleet=fleet, smartcar_user_id=OuterRef("smartcar_user_id"), revoked_at=None
    ).exclude(driver_email="")
    waiting = Connection.objects.filter(fleet=fleet, state__in=ASKED, state_since__lte=now - PATIENCE)
    return waiting.filter(~Exists(asked), Exists(reachable)).order_by("pk")


def driver_zone(*, fleet: Fleet, smartcar_user_id: str) -> ZoneInfo:
    """Returns the time zone that the driver chose on their page; the fleet's if there is none."""
    pages = DriverPortal.objects.filter(fleet=fleet, smartcar_user_id=smartcar_user_id, revoked_at=None)
    chosen = pages.values_list("time_zone", flat=True).first() if smartcar_user_id else ""
    return zone(chosen or fleet.time_zone)
