from collections.abc import Collection, Iterable
from datetime import timedelta

from django import template

from connect.permission_settings.reports import Report, reports_using
from connect.permission_settings.selectors import Grants
from connect.scopes import NEEDED, PermissionScope

register = template.Library()


@register.filter
def count_chosen(scopes: Iterable[PermissionScope], chosen: Collection[str]) -> int:
    """Returns how many of the scopes are chosen; the required one always is."""
    return sum(scope.name in chosen or scope.name == NEEDED for scope in scopes)


@register.filter
def reports(scope: PermissionScope) -> list[Report]:
    """Returns the reports and commands that need the permission."""
    return reports_using(scope.name)


@register.filter
def granted(grants: Grants, name: str) -> int:
    """Returns for how many vehicles the permission is granted."""
    return grants.by_scope.get(name, 0)


@register.filter
def minutes(interval: timedelta) -> int:
    """Returns the interval in whole minutes."""
    return round(interval.total_seconds() / 60)
