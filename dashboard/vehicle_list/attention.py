"""Which vehicles need a person, and why: one definition for the tile, the filter, the rows, and every page's badge.

A vehicle needs attention while one of these applies:

- an alert about it is open and nobody has acknowledged it;
- its connection needs action, its battery or tank is low as alerts judge it (alerts.battery), or it has been parked
  unlocked for long. If a member has acknowledged the alert about it, a member takes care of it, so it doesn't count.

Errors of single signals count once they change the status of the connection (connect.status). The conditions are SQL,
so that they hold for ten thousand vehicles; dashboard.vehicle_list.selectors has the statements. No database access.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta

from django.utils.translation import gettext

from accounts.permissions import PERMISSIONS, Permission
from alerts.types import AlertType, selected_types, visible_to

# A van is often left unlocked while it's loaded. After this time, it was probably forgotten.
UNLOCKED_LONG = timedelta(hours=4)
CONNECTION, BATTERY = AlertType.CONNECTION.value, AlertType.BATTERY.value
UNLOCKED = "unlocked"
REASONS = (*AlertType.values, UNLOCKED)
"""The codes of all reasons, the most urgent first. Those that raise alerts have the codes of AlertType."""

REASONS_SQL = f"""array_remove(ARRAY[
            CASE WHEN degraded AND NOT coalesce('{CONNECTION}' = ANY(acknowledged), false)
                 THEN '{CONNECTION}' END,
            CASE WHEN low AND low_alerts AND NOT coalesce('{BATTERY}' = ANY(acknowledged), false)
                 THEN '{BATTERY}' END,
            CASE WHEN locked IS FALSE AND NOT moving AND unlocked_since < %(unlocked_since)s
                 THEN '{UNLOCKED}' END
        ] || open_alerts, NULL)"""
"""The codes of a vehicle's reasons, possibly with duplicates. `low` excludes charging vehicles, as alerts do."""


def open_alerts_sql(fleets: str) -> str:
    """Returns SQL for the types of the open alerts about each vehicle. `fleets` is SQL for an array."""
    return f"""
        SELECT vehicle_id, array_agg(DISTINCT kind::text) FILTER (WHERE acknowledged_at IS NULL) AS open,
               array_agg(DISTINCT kind::text) FILTER (WHERE acknowledged_at IS NOT NULL) AS acknowledged
        FROM alerts_notice
        WHERE fleet_id = ANY({fleets}) AND ended_at IS NULL
        GROUP BY vehicle_id
"""  # noqa: S608


def order_reasons(codes: Iterable[str]) -> list[str]:
    """Returns the codes without duplicates, the most urgent first."""
    found = set(codes)
    return [code for code in REASONS if code in found]


def reason_label(code: str) -> str:
    """Returns the reason in a few words."""
    return gettext("Unlocked for long") if code == UNLOCKED else str(AlertType(code).label)


def unwanted_reasons(*, role: str, in_app: Collection[str] | None) -> frozenset[str]:
    """Returns the reasons that a member has excluded from the badge: types of alerts deselected in the preferences.

    `in_app` is None for a member without preferences.
    """
    if in_app is None:
        return frozenset()
    return frozenset(kind.value for kind in visible_to(role) - selected_types(role, in_app))


def may_see_badge(role: str) -> bool:
    """Whether members with this role see vehicles at all."""
    return Permission.VIEW in PERMISSIONS.get(role, ())
