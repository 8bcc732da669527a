"""The connection tab: who shares the vehicle, the connection's status, and available actions."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.permissions import Permission
from connect.connections.missing_permissions import MissingPermissions, missing_permissions
from connect.connections.selectors import ConnectionRow, connection_rows
from connect.models import Connection, ConnectionState
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import PermissionScope, with_reasons
from connect.usage import quota
from dashboard.vehicle_page.base import CONNECTION, vehicle_context


@dataclass(frozen=True, slots=True)
class Grant:
    """A driver's connection with its permissions.

    `scopes` and `missing` have texts, `others` counts the remaining ones.
    """

    row: ConnectionRow
    scopes: list[PermissionScope]
    others: int
    missing: MissingPermissions


@login_required
@require_GET
def page(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Lists the vehicle's connections by driver. Actions require permission to connect vehicles."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    now = timezone.now()
    found = (
        Connection.objects.filter(vehicle=frame.vehicle)
        .exclude(state=ConnectionState.REMOVED)
        .select_related("vehicle")
    )
    requested = requested_scopes(fleet=frame.fleet)
    rows = connection_rows(fleet=frame.fleet, connections=found, now=now)
    context = frame.context(CONNECTION) | {"grants": [_grant(row, requested) for row in rows]}
    if frame.can(Permission.BUDGET):
        context["usage"] = quota.vehicle_usage(vehicle=frame.vehicle, month=quota.billing_month(now))
    return render(request, "dashboard/vehicle_page/connection.html", context)


def _grant(row: ConnectionRow, requested: Iterable[str]) -> Grant:
    scopes = with_reasons(row.connection.scopes)
    return Grant(
        row,
        scopes,
        len(row.connection.scopes) - len(scopes),
        missing_permissions(connection=row.connection, requested=requested),
    )
