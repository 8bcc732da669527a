"""Where notices lead. Pages of other rooms are known by name only."""

from django.conf import settings
from django.urls import reverse

from accounts.models import Fleet
from alerts.models import Notice
from alerts.types import Kind


def address_of(notice: Notice) -> str:
    """The page on which something can be done about it: the car's, or its connection's."""
    if notice.kind == Kind.BATTERY:
        return reverse("dashboard:vehicle", args=[notice.fleet.slug, notice.vehicle.smartcar_id])
    connection = notice.subject if notice.kind == Kind.CONNECTION else notice.facts["connection"]
    return reverse("connections:detail", args=[notice.fleet.slug, connection])


def page_of(fleet: Fleet) -> str:
    """The whole address of the fleet's notices, for an e-mail."""
    return settings.SITE_URL + reverse("notices:overview", args=[fleet.slug])


def settings_of(fleet: Fleet) -> str:
    """The whole address of the member's own settings, for an e-mail."""
    return settings.SITE_URL + reverse("notices:settings", args=[fleet.slug])
