"""Deleting users for good: their data is exported first, then every trace of the address is erased, with a proof."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import CharField, Field, Func, JSONField, Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.members.departures import end_membership
from accounts.models import AuditLogEntry, MemberInvitation, Membership, User
from core.mail.models import OutgoingEmail

# Stands in place of an erased name or address.
ERASED = "(deleted user)"
# In place of an address within a text; never longer than what it replaces.
_REDACTED = "…"
EXPORT = "Export data"
# Rows about vehicles only, which no user's address gets into; some of these tables are large.
_WITHOUT_USERS = {"vehicles", "webhooks"}


class EraseHandler(Protocol):
    """Replaces the user's names in the rows of an app above this one. Returns how many rows it changed."""

    def __call__(self, *, names: frozenset[str], replacement: str) -> int: ...


_handlers: dict[str, EraseHandler] = {}


class ErasureIncompleteError(Exception):
    """The user's address is still stored somewhere. str() names the columns."""


def register(handler: EraseHandler, *, kind: str) -> None:
    """Registers a handler at startup."""
    _handlers[kind] = handler


def was_exported(user: User) -> bool:
    """Whether the user's data was exported in the admin."""
    exports = AuditLogEntry.objects.filter(event=AuditEvent.ADMIN_ACTION, data__action=EXPORT)
    return exports.filter(object_id=str(user.pk), data__model=str(user._meta.verbose_name)).exists()


@transaction.atomic
def erase_user(*, user: User, actor: User) -> Mapping[str, int]:
    """Ends the user's memberships, deletes the user, and erases name and address from what remains.

    The caller has checked that no fleet loses its last owner. The audit log of the site keeps the proof: how many rows
    of each kind were changed, and that a search of all columns found nothing. Raises ErasureIncompleteError if it did,
    and changes nothing then.
    """
    pk, address, names = user.pk, user.email, frozenset({user.email, str(user)})
    rows: Counter[str] = Counter()
    for membership in Membership.objects.filter(user=user).select_related("fleet", "user"):
        end_membership(membership=membership, actor=actor)
        rows["memberships"] += 1
    rows["invitations"] = MemberInvitation.objects.filter(email__iexact=user.email).delete()[0]
    rows["emails"] = OutgoingEmail.objects.filter(recipient__iexact=user.email).delete()[0]
    rows["audit log"] = _scrub_audit_log(user)
    rows["admin log"] = LogEntry.objects.filter(object_repr__in=names).update(object_repr=ERASED)
    for kind, handler in _handlers.items():
        rows[kind] = handler(names=names, replacement=ERASED)
    user.delete()
    rows["other texts"] = _redact(address)
    if traces := find_traces(address):
        raise ErasureIncompleteError(f"The address is still stored in {', '.join(traces)}.")
    log_event(
        fleet=None,
        actor=actor,
        event=AuditEvent.USER_ERASED,
        about=(AuditObject.MEMBER, pk),
        data={"rows": dict(rows), "traces": 0},
    )
    return rows


def _scrub_audit_log(user: User) -> int:
    as_member = Q(data__name__iexact=user.email)
    in_admin = Q(object_type=AuditObject.RECORD, object_id=str(user.pk), data__model=user._meta.verbose_name)
    entries = list(AuditLogEntry.objects.filter(as_member | in_admin))
    for entry in entries:
        entry.data["name"] = ERASED
    AuditLogEntry.objects.bulk_update(entries, ["data"], batch_size=500)
    return len(entries)


def find_traces(address: str) -> list[str]:
    """Returns the columns of all tables in which the address is stored, as "app.Model.field"."""
    return [
        f"{model._meta.label}.{field.name}"
        for model, field in _text_columns()
        if _rows_with(model, field, address).exists()
    ]


def _redact(address: str) -> int:
    """Replaces the address in all texts, such as reasons that people entered. Returns the number of values."""
    count = 0
    for model, field in _text_columns():
        text: Any = Func(
            Cast(field.name, TextField()),
            Value(re.escape(address)),
            Value(_REDACTED),
            Value("gi"),
            function="REGEXP_REPLACE",
            output_field=TextField(),
        )
        if isinstance(field, JSONField):
            text = Cast(text, JSONField())
        count += _rows_with(model, field, address).update(**{field.name: text})
    return count


def _text_columns() -> Iterator[tuple[type[Model], Field[Any, Any]]]:
    for model in apps.get_models():
        if model._meta.app_label not in _WITHOUT_USERS and model._meta.managed:
            for field in model._meta.concrete_fields:
                if isinstance(field, CharField | TextField | JSONField):
                    yield model, field


def _rows_with(model: type[Model], field: Field[Any, Any], address: str) -> QuerySet[Any]:
    rows = model._default_manager.annotate(searched_text=Cast(field.name, TextField()))
    return rows.filter(searched_text__icontains=address)
