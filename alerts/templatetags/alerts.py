from django import template
from django.http import HttpRequest
from django.template.context import RequestContext

from accounts.models import Fleet, User
from alerts import messages
from alerts.models import Notice
from alerts.notification_badge import bell_of
from alerts.urls_for import address_of

register = template.Library()


@register.inclusion_tag("alerts/badge.html", takes_context=True)
def notices_bell(context: RequestContext) -> dict[str, object]:
    """The bell of the fleet that is shown, or of all fleets of the person; none for who sees no fleet."""
    request, fleet = context.get("request"), context.get("fleet")
    user = getattr(request, "user", None)
    if not isinstance(request, HttpRequest) or not isinstance(user, User) or not context.get("my_fleets"):
        return {}
    return {
        "bell": bell_of(user=user, fleet=fleet if isinstance(fleet, Fleet) else None),
        "my_fleets": context["my_fleets"],
    }


@register.filter
def notice_title(notice: Notice) -> str:
    """What it is about, in two or three words."""
    return messages.title_of(notice)


@register.filter
def notice_text(notice: Notice) -> str:
    """Why it was given."""
    return messages.text_of(notice)


@register.filter
def notice_icon(notice: Notice) -> str:
    """The icon of its kind."""
    return messages.icon_of(notice)


@register.filter
def notice_address(notice: Notice) -> str:
    """Where something can be done about it."""
    return address_of(notice)
