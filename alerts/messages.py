"""What a notice says, in the language of whoever reads it. The row only keeps facts."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from alerts.models import Notice
from alerts.types import Kind

# By the state of the connection, as facts["state"] names it.
LOST = {
    "stale": _("Nothing has been heard of the car for two days."),
    "needs_reauth": _("The driver must sign in at the car's maker again."),
    "permission": _("The driver's permission does not cover what the fleet asks for."),
    "subscription": _("The maker's connected services are not active for this car."),
    "plan_limit": _("The Smartcar plan does not cover this car."),
    "revoked": _("The driver's access has ended at Smartcar. Only connecting again brings the car back."),
}
ICONS = {Kind.CONNECTION: "plug-x", Kind.TOKEN: "key", Kind.BATTERY: "battery-1"}


def title_of(notice: Notice) -> str:
    """What the notice is about, in two or three words."""
    if notice.kind == Kind.BATTERY:
        return gettext("Low fuel") if notice.facts["fuel"] else gettext("Low battery")
    return str(Kind(notice.kind).label)


def text_of(notice: Notice) -> str:
    """Why the notice was given, in a sentence or two."""
    return _TEXTS[Kind(notice.kind)](notice)


def icon_of(notice: Notice) -> str:
    """The icon of the notice's kind."""
    if notice.kind == Kind.BATTERY and notice.facts["fuel"]:
        return "gas-station"
    return ICONS[Kind(notice.kind)]


def _lost(notice: Notice) -> str:
    return str(LOST.get(notice.facts.get("state", ""), _("The connection does not work.")))


def _ending(notice: Notice) -> str:
    ends_at = datetime.fromisoformat(notice.facts["ends"])
    told = {"date": date_format(timezone.localtime(ends_at), "DATE_FORMAT")}
    if ends_at <= timezone.now():
        text = gettext("The driver's access ended on %(date)s. The driver must sign in again.") % told
    else:
        text = (
            gettext(
                "The driver's access ends on %(date)s and could not be renewed. Have the driver sign in again."
            )
            % told
        )
    others = notice.facts.get("cars", 1) - 1
    if others < 1:
        return text
    more = ngettext("It concerns %(n)s more car.", "It concerns %(n)s more cars.", others) % {"n": others}
    return f"{text} {more}"


def _low(notice: Notice) -> str:
    facts = notice.facts
    told = {
        "level": _percent(round(facts["level"])),
        "threshold": _percent(facts["threshold"]),
    }
    if facts["fuel"]:
        return gettext("The fuel level fell to %(level)s, below %(threshold)s.") % told
    return gettext("The state of charge fell to %(level)s, below %(threshold)s.") % told


def _percent(number: int) -> str:
    """With a space at which no line breaks."""
    return f"{number_format(number)}\N{NO-BREAK SPACE}%"


_TEXTS = {Kind.CONNECTION: _lost, Kind.TOKEN: _ending, Kind.BATTERY: _low}
