"""The texts of alerts, in the active language. Rows store values only."""

from datetime import datetime
from math import floor

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from alerts.models import Alert
from alerts.types import AlertType
from vehicles.formatting import with_symbol

# By the state of the connection, as payload["state"].
CONNECTION_TEXTS = {
    "stale": _("No data from the vehicle for two days."),
    "needs_reauth": _("The driver must sign in to their manufacturer account again."),
    "permission": _("The driver's permissions don't cover what the fleet requests."),
    "subscription": _("The manufacturer's connected services aren't active for this vehicle."),
    "plan_limit": _("The Smartcar plan doesn't cover this vehicle."),
    "revoked": _("The driver's access at Smartcar has ended. To restore it, reconnect the vehicle."),
}
_ICONS = {AlertType.CONNECTION: "plug-x", AlertType.TOKEN: "key", AlertType.BATTERY: "battery-1"}


def alert_title(alert: Alert) -> str:
    """The subject of the alert in two or three words."""
    if alert.kind == AlertType.BATTERY:
        return gettext("Low fuel") if alert.payload["fuel"] else gettext("Low battery")
    return str(AlertType(alert.kind).label)


def alert_text(alert: Alert) -> str:
    """Why the alert was raised, in one or two sentences."""
    return _TEXTS[AlertType(alert.kind)](alert)


def alert_icon(alert: Alert) -> str:
    """The name of the alert's icon."""
    if alert.kind == AlertType.BATTERY and alert.payload["fuel"]:
        return "gas-station"
    return _ICONS[AlertType(alert.kind)]


def _connection_text(alert: Alert) -> str:
    return str(CONNECTION_TEXTS.get(alert.payload.get("state", ""), _("The connection isn't working.")))


def _token_text(alert: Alert) -> str:
    ends_at = datetime.fromisoformat(alert.payload["ends"])
    values = {"date": date_format(timezone.localtime(ends_at), "DATE_FORMAT")}
    if ends_at <= timezone.now():
        text = gettext("The driver's access expired on %(date)s. The driver must sign in again.") % values
    else:
        text = (
            gettext(
                "The driver's access expires on %(date)s and couldn't be renewed. Ask the driver to "
                "sign in again."
            )
            % values
        )
    others = alert.payload.get("cars", 1) - 1
    if others < 1:
        return text
    more = ngettext("This affects %(n)s more vehicle.", "This affects %(n)s more vehicles.", others) % {
        "n": others
    }
    return f"{text} {more}"


def _battery_text(alert: Alert) -> str:
    level, threshold = alert.payload["level"], alert.payload["threshold"]
    # 24.6% isn't shown as the threshold that it fell below.
    shown = round(level) if round(level) < threshold else floor(level)
    values = {"level": _percent(shown), "threshold": _percent(threshold)}
    if alert.payload["fuel"]:
        return gettext("The fuel level fell to %(level)s, below %(threshold)s.") % values
    return gettext("The state of charge fell to %(level)s, below %(threshold)s.") % values


def _percent(number: int) -> str:
    return with_symbol(number_format(number), "%")


_TEXTS = {
    AlertType.CONNECTION: _connection_text,
    AlertType.TOKEN: _token_text,
    AlertType.BATTERY: _battery_text,
}
