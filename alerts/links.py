"""The addresses alerts link to. Pages of apps above are known by the name of their URL only."""

from django.conf import settings
from django.urls import reverse

from accounts.models import Fleet
from alerts.models import Alert
from alerts.types import AlertType


def alert_url(alert: Alert) -> str:
    """The page on which a member can act on the alert: the vehicle's, or its connection's."""
    if alert.kind == AlertType.BATTERY:
        return reverse("dashboard:vehicle", args=[alert.fleet.slug, alert.vehicle.smartcar_id])
    connection = alert.subject_id if alert.kind == AlertType.CONNECTION else alert.payload["connection"]
    return reverse("connections:detail", args=[alert.fleet.slug, connection])


def alerts_url(fleet: Fleet) -> str:
    """The absolute address of the fleet's alerts, for an email."""
    return settings.SITE_URL + reverse("alerts:overview", args=[fleet.slug])


def settings_url(fleet: Fleet) -> str:
    """The absolute address of the member's own settings, for an email."""
    return settings.SITE_URL + reverse("alerts:settings", args=[fleet.slug])
