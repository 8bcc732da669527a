"""Searches every text of every table for what identified a vehicle and its drivers, after an erasure.

What to search for is noted when the erasure is requested, encrypted, and deleted when the search finds nothing. Rows of
the vehicle, to which foreign keys lead, are searched for everything. The fleet's other rows are searched for what can't
stand for anything else: the VIN and email addresses. Apps register which rows belong to a vehicle without a foreign
key (`register`).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Lower

from accounts.audit import AuditObject
from accounts.models import AuditLogEntry, Fleet, MemberInvitation
from connect.emails import DRIVER_NOTICE, DRIVER_PORTAL, INVITATION, REMINDER
from connect.invitations.models import UNNAMED
from connect.models import Connection, DriverPortal, DriverReminder, Invitation
from connect.offboarding.driver_erasure import invitations_of, pages_of
from connect.offboarding.erasure_target import ErasureTarget
from core import encryption
from core.mail.models import OutgoingEmail
from vehicles.models import Vehicle

Model = type[models.Model]
Rows = QuerySet[Any]
Scope = Callable[[ErasureTarget, Rows], Rows]

# Shorter texts are also parts of other words.
_SHORTEST = 4
# Smartcar's and our own identifiers and codes, and what a receipt retains: make, model and year.
_TECHNICAL = frozenset(
    [
        *("smartcar_id", "smartcar_user_id", "smartcar_vehicle_id", "smartcar_connection_id", "user_id"),
        *("connection_id_found", "external_id", "state_hash", "session_hash", "secret_hash", "nonce"),
        *("scopes", "make", "model", "powertrain", "mode", "time_zone", "search_terms"),
    ]
)
_TEXTS = (models.CharField, models.TextField, models.JSONField, ArrayField)


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """The texts to search for: of the vehicle and of its drivers, those that are exact, and names, which may occur
    elsewhere with another meaning.
    """

    vehicle: tuple[str, ...]
    vehicle_names: tuple[str, ...]
    drivers: tuple[str, ...]
    driver_names: tuple[str, ...]

    @classmethod
    def collect(cls, *, vehicle: Vehicle, connections: Iterable[Connection]) -> "SearchTerms":
        """Returns what identifies the vehicle and the drivers of these connections now."""
        users = {each.smartcar_user_id for each in connections}
        pages = pages_of(fleet=vehicle.fleet, user_ids=users)
        invitations = invitations_of(fleet=vehicle.fleet, user_ids=users)
        named = [*pages.values_list("driver_name", "driver_email")]
        named += invitations.values_list("driver_name", "driver_email")
        return cls(
            vehicle=_long([vehicle.vin]),
            vehicle_names=_long([vehicle.name, vehicle.plate, vehicle.driver]),
            drivers=_long(address for _, address in named),
            driver_names=_long(name for name, _ in named if name != UNNAMED),
        )

    def encrypted(self) -> bytes:
        """Returns the terms as they are stored until the search finds nothing."""
        return encryption.encrypt(json.dumps(asdict(self)))

    @classmethod
    def decrypted(cls, ciphertext: bytes | memoryview) -> "SearchTerms":
        """Returns stored terms. Raises core.encryption.DecryptionError."""
        return cls(**json.loads(encryption.decrypt(ciphertext)))


def find_residue(*, target: ErasureTarget, terms: SearchTerms) -> dict[str, int]:
    """Returns how many rows still contain one of the terms, by table. Empty if nothing remains."""
    exact, names = set[str](), set[str]()
    if not target.still_shared:
        exact, names = {*terms.vehicle}, {*terms.vehicle_names}
    if target.drivers:
        exact |= _addresses_of_no_one_else(terms.drivers, target)
        names |= {*terms.driver_names}
    found = {}
    for model in apps.get_models():
        count = _count(_own_rows(model, target), exact | names)
        if not count and _is_of_a_fleet(model):
            count = _count(model._default_manager.filter(fleet=target.vehicle.fleet_id), exact)
        if count:
            found[model._meta.db_table] = count
    return found


_scopes: dict[Model, Scope] = {}


def register(model: Model, scope: Scope) -> None:
    """Sets which rows of a table must not contain anything about the target; `scope` filters them."""
    _scopes[model] = scope


def is_searched(model: Model) -> bool:
    """Returns whether the search covers the table."""
    return model in _scopes or bool(_paths(model)) or _is_of_a_fleet(model)


def _own_rows(model: Model, target: ErasureTarget) -> Rows:
    rows = model._default_manager.all()
    if model in _scopes:
        return _scopes[model](target, rows)
    paths = [Q(**{path: target.vehicle.pk}) for path in _paths(model)]
    return rows.filter(reduce(or_, paths)) if paths else rows.none()


def _is_of_a_fleet(model: Model) -> bool:
    """Returns whether rows belong to a fleet and not, in any case, to one vehicle."""
    if model in _scopes or model is Vehicle:
        return False
    keys = [each for each in model._meta.fields if isinstance(each, models.ForeignKey)]
    of_vehicle = any(each.related_model in (Vehicle, Connection) and not each.null for each in keys)
    return not of_vehicle and any(each.related_model is Fleet and each.name == "fleet" for each in keys)


def _paths(model: Model, depth: int = 3) -> list[str]:
    """Returns the lookups that lead to a vehicle's primary key, over at most `depth` foreign keys."""
    if model is Vehicle:
        return ["pk"]
    found: list[str] = []
    for key in model._meta.fields:
        if isinstance(key, models.ForeignKey) and depth:
            related: Any = key.related_model
            found += [f"{key.name}__{path}" for path in _paths(related, depth - 1)]
    return found


def _count(rows: Rows, terms: set[str]) -> int:
    conditions = [
        condition
        for column in rows.model._meta.concrete_fields
        if column.name not in _TECHNICAL and not column.choices
        for term in terms
        for condition in _contains(column, term)
    ]
    return rows.filter(reduce(or_, conditions)).count() if conditions else 0


def _contains(column: "models.Field[Any, Any]", term: str) -> list[Q]:
    """Returns the conditions under which the column contains the term. The encrypted columns are binary as well."""
    if isinstance(column, models.BinaryField):
        spellings = {term, json.dumps(term)[1:-1]}
        return [Q(_Contains(Value(text.encode()), F(column.name))) for text in spellings]
    if isinstance(column, _TEXTS):
        return [Q(_Contains(Value(term.lower()), Lower(Cast(F(column.name), TextField()))))]
    return []


class _Contains(Func):
    """Whether the second expression contains the first one."""

    template = "position(%(expressions)s) > 0"
    arg_joiner = " IN "
    output_field = BooleanField()


def _long(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if len(text) >= _SHORTEST}))


def _addresses_of_no_one_else(addresses: Iterable[str], target: ErasureTarget) -> set[str]:
    """Returns the addresses that no other driver of the fleet has, and to which no newer invitation was sent."""
    fleet = target.vehicle.fleet_id
    others = DriverPortal.objects.filter(fleet=fleet).exclude(smartcar_user_id__in=target.drivers)
    newer = Invitation.objects.filter(fleet=fleet, created_at__gt=target.requested_at)
    used = {each.lower() for rows in (others, newer) for each in rows.values_list("driver_email", flat=True)}
    return {address for address in addresses if address.lower() not in used}


def _audit_entries(target: ErasureTarget, rows: Rows) -> Rows:
    """The entries about the vehicle, and about the drivers' pages and invitations."""
    fleet, vehicle = target.vehicle.fleet, target.vehicle
    about: list[tuple[AuditObject, list[Any]]] = [
        (AuditObject.VEHICLE, [vehicle.smartcar_id]),
        (AuditObject.DRIVER_PORTAL, _pks(pages_of(fleet=fleet, user_ids=target.drivers))),
        (AuditObject.INVITATION, _pks(invitations_of(fleet=fleet, user_ids=target.drivers))),
    ]
    conditions = [Q(object_type=kind, object_id__in=[str(key) for key in keys]) for kind, keys in about]
    conditions.append(Q(object_type=AuditObject.RECORD, object_id=str(vehicle.pk), data__model="vehicle"))
    return rows.filter(reduce(or_, conditions), fleet=fleet)


def _pks(rows: Rows) -> list[int]:
    return list(rows.values_list("pk", flat=True))


def _invitations(target: ErasureTarget, rows: Rows) -> Rows:
    """The invitations of the drivers and for the vehicle from before the request; a newer one is for a new start."""
    fleet = target.vehicle.fleet
    used = invitations_of(fleet=fleet, user_ids=target.drivers)
    own = Q(pk__in=_pks(used)) | Q(connection__vehicle=target.vehicle)
    return rows.filter(own, fleet=fleet, created_at__lte=target.requested_at)


def _emails(target: ErasureTarget, rows: Rows) -> Rows:
    """The emails to the drivers."""
    fleet = target.vehicle.fleet
    pages = DriverPortal.objects.filter(fleet=fleet, smartcar_user_id__in=target.drivers)
    used = _pks(invitations_of(fleet=fleet, user_ids=target.drivers))
    invitations = Invitation.objects.filter(pk__in=used, created_at__lte=target.requested_at)
    return rows.filter(
        Q(kind__in=[DRIVER_PORTAL, DRIVER_NOTICE], object_id__in=pages.values("pk"))
        | Q(kind=INVITATION, object_id__in=invitations.values("pk"))
        | Q(
            kind=REMINDER,
            object_id__in=DriverReminder.objects.filter(invitation__in=invitations).values("pk"),
        )
    )


def _admin_log(target: ErasureTarget, rows: Rows) -> Rows:
    """The admin's own log about the vehicle."""
    return rows.filter(content_type__model="vehicle", object_id=str(target.vehicle.pk))


register(AuditLogEntry, _audit_entries)
register(LogEntry, _admin_log)
register(Invitation, _invitations)
register(OutgoingEmail, _emails)
# A driver may be a member, too.
register(MemberInvitation, lambda target, rows: rows.none())
