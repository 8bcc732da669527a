"""Changes made in the admin are in the audit log: of the fleets they concern, and of the site."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, User

Row = TypeVar("Row", bound=models.Model)


class AuditedAdmin(admin.ModelAdmin[Row]):
    """Logs what was added, changed and deleted, without values: some are secret."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        log_admin_event(request, event=AuditEvent.ADMIN_CREATED, rows=[obj])
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        fields = changed_fields(message)
        log_admin_event(request, event=AuditEvent.ADMIN_CHANGED, rows=[obj], data={"admin_fields": fields})
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        log_admin_event(request, event=AuditEvent.ADMIN_DELETED, rows=queryset)
        return super().log_deletions(request, queryset)


def changed_fields(message: Any) -> list[str]:
    """Returns the labels of the changed fields, from the message that Django's admin composes."""
    if not isinstance(message, list):
        return []
    changes = [part.get("changed", {}) for part in message]
    return [str(field) for change in changes if "name" not in change for field in change.get("fields", [])]


def log_admin_event(
    request: HttpRequest,
    *,
    event: AuditEvent,
    rows: Iterable[models.Model],
    data: dict[str, Any] | None = None,
) -> None:
    """Logs an event about each row: in the log of its fleet, of each fleet of a user, or of the site."""
    actor = request.user if isinstance(request.user, User) else None
    for row in rows:
        details = {"model": str(row._meta.verbose_name), "name": str(row), **(data or {})}
        for fleet in _fleets(row):
            log_event(fleet=fleet, actor=actor, event=event, about=(AuditObject.RECORD, row.pk), data=details)


def _fleets(row: models.Model) -> list[Fleet | None]:
    """Returns the fleets whose log the row belongs to; [None] is the site's."""
    if isinstance(row, Fleet):
        return [row]
    if isinstance(row, User):
        own: list[Fleet | None] = list(Fleet.objects.filter(memberships__user=row))
        return own or [None]
    fleet = getattr(row, "fleet", None)
    if isinstance(fleet, Fleet):
        return [fleet]
    owner = getattr(row, "user", None)
    return _fleets(owner) if isinstance(owner, User) else [None]


def log_admin_action(request: HttpRequest, *, action: str, rows: Iterable[models.Model]) -> None:
    """Logs that an action was run on these rows."""
    log_admin_event(request, event=AuditEvent.ADMIN_ACTION, rows=rows, data={"action": action})
