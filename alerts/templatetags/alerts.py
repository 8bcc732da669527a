from django import template
from django.http import HttpRequest
from django.template.context import RequestContext

from accounts.models import Fleet, User
from alerts import links, messages
from alerts.models import Alert
from alerts.notification_badge import badge_for

register = template.Library()


@register.inclusion_tag("alerts/badge.html", takes_context=True)
def notification_badge(context: RequestContext) -> dict[str, object]:
    """The badge of the displayed fleet, or of all fleets of the user; none for users without a fleet."""
    request, fleet = context.get("request"), context.get("fleet")
    user = getattr(request, "user", None)
    if not isinstance(request, HttpRequest) or not isinstance(user, User) or not context.get("my_fleets"):
        return {}
    return {
        "badge": badge_for(user=user, fleet=fleet if isinstance(fleet, Fleet) else None),
        "my_fleets": context["my_fleets"],
    }


@register.filter
def alert_title(alert: Alert) -> str:
    """The subject of the alert in two or three words."""
    return messages.alert_title(alert)


@register.filter
def alert_text(alert: Alert) -> str:
    """Why the alert was raised."""
    return messages.alert_text(alert)


@register.filter
def alert_icon(alert: Alert) -> str:
    """The name of the alert's icon."""
    return messages.alert_icon(alert)


@register.filter
def alert_url(alert: Alert) -> str:
    """The page on which a member can act on the alert."""
    return links.alert_url(alert)
