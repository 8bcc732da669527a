"""Erases what identifies a driver who no longer shares any vehicle with the fleet.

Names and email addresses are in invitations, driver pages, emails and the audit log.
"""

from collections.abc import Iterable

from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Lower

from accounts.audit import AuditObject
from accounts.models import AuditLogEntry, Fleet
from connect.emails import DRIVER_NOTICE, DRIVER_PORTAL, INVITATION, REMINDER
from connect.invitations.models import UNNAMED
from connect.messages import ErasureNote, StateEvidence
from connect.models import (
    Connection,
    ConnectionState,
    DriverPortal,
    DriverReminder,
    Invitation,
    Transition,
)
from connect.offboarding.erasure_target import ErasureTarget
from core.mail.services import erase_recipients
from core.message_codes import NO_MESSAGE, Message

_BLANK = {"driver_name": UNNAMED, "driver_email": ""}


def departed_drivers(*, fleet: Fleet, user_ids: Iterable[str]) -> frozenset[str]:
    """Returns those of the Smartcar user IDs that no longer share any vehicle with the fleet."""
    user_ids = set(user_ids)
    sharing = Connection.objects.filter(fleet=fleet, smartcar_user_id__in=user_ids)
    sharing = sharing.exclude(state=ConnectionState.REMOVED)
    return frozenset(user_ids - set(sharing.values_list("smartcar_user_id", flat=True)))


def pages_of(*, fleet: Fleet, user_ids: Iterable[str]) -> QuerySet[DriverPortal]:
    """Returns the drivers' pages, including closed ones."""
    return DriverPortal.objects.filter(fleet=fleet, smartcar_user_id__in=list(user_ids))


def invitations_of(*, fleet: Fleet, user_ids: Iterable[str]) -> QuerySet[Invitation]:
    """Returns the invitations that these drivers used, or that have their address, or that have their name and that
    nobody has used.
    """
    connections = Connection.objects.filter(fleet=fleet, smartcar_user_id__in=list(user_ids))
    authorizations = Transition.objects.filter(
        connection__in=connections, evidence_code=StateEvidence.AUTHORIZATION.value
    ).values_list("evidence_params__number", flat=True)
    invitations = Invitation.objects.filter(fleet=fleet)
    used = Q(connection__in=connections) | Q(trips__in=list(authorizations))
    named = list(invitations.filter(used).values_list("driver_name", "driver_email"))
    named += pages_of(fleet=fleet, user_ids=user_ids).values_list("driver_name", "driver_email")
    names = {name for name, _ in named} - {UNNAMED}
    addresses = {address.lower() for _, address in named if address}
    same = Q(address__in=addresses) | Q(driver_name__in=names, used_at=None)
    return invitations.annotate(address=Lower("driver_email")).filter(used | same).distinct()


def erase(target: ErasureTarget, limit: int) -> int:
    """Blanks the drivers' names and addresses, and deletes the emails to them. Returns the number of rows."""
    fleet = target.vehicle.fleet
    pages = list(pages_of(fleet=fleet, user_ids=target.drivers).values_list("pk", flat=True))
    invitations = invitations_of(fleet=fleet, user_ids=target.drivers)
    invited = list(invitations.filter(created_at__lte=target.requested_at).values_list("pk", flat=True))
    erased = 0
    for kind in (DRIVER_PORTAL, DRIVER_NOTICE):
        erased += erase_recipients(kind=kind, object_ids=pages, limit=limit)
    erased += blank_audit_names(fleet, AuditObject.DRIVER_PORTAL, pages)
    erased += DriverPortal.objects.filter(pk__in=pages).exclude(**_BLANK).update(**_BLANK)
    return erased + erase_invitations(fleet=fleet, pks=invited, limit=limit)


def erase_invitations(*, fleet: Fleet, pks: list[int], limit: int) -> int:
    """Blanks the names, addresses and VINs of invitations, and deletes the emails. Returns the number of rows."""
    reminders = list(DriverReminder.objects.filter(invitation__in=pks).values_list("pk", flat=True))
    erased = erase_recipients(kind=INVITATION, object_ids=pks, limit=limit)
    erased += erase_recipients(kind=REMINDER, object_ids=reminders, limit=limit)
    erased += blank_audit_names(fleet, AuditObject.INVITATION, pks)
    return erased + Invitation.objects.filter(pk__in=pks).exclude(**_BLANK, vin="").update(**_BLANK, vin="")


def skip_reason(target: ErasureTarget) -> Message:
    """Returns why the names are retained: only locations are erased, or the drivers share other vehicles."""
    if target.places_only:
        return ErasureNote.ONLY_PLACES.message()
    return NO_MESSAGE if target.drivers else ErasureNote.DRIVER_SHARES.message()


def blank_audit_names(fleet: Fleet, kind: AuditObject, pks: Iterable[int], *, model: str = "") -> int:
    """Removes the name from the data of audit log entries about these objects; the entries remain.

    `model` is that of records changed in the admin.
    """
    entries = AuditLogEntry.objects.filter(
        fleet=fleet, object_type=kind, object_id__in=[str(pk) for pk in pks], data__has_key="name"
    )
    if model:
        entries = entries.filter(data__model=model)
    without_name = Func(
        F("data"), Cast(Value("name"), TextField()), arg_joiner=" - ", template="(%(expressions)s)"
    )
    return entries.update(data=without_name)
