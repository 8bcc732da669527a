"""Asks and reminds drivers automatically, politely: in their language, never in quiet hours, and at most three times.

Several workers may run this at the same time. The row that an email is about is locked, and what was sent is stored in
the transaction that queues the email, so each email is queued at most once.
"""

from datetime import datetime, time

from django.conf import settings
from django.db import transaction

from accounts.audit import AuditEvent, log_event
from accounts.models import Fleet, User
from connect.connections.selectors import list_drivers
from connect.connections.services import create_link
from connect.emails import queue_reminder
from connect.models import Connection, DriverReminder, Invitation, ReminderSettings
from connect.reminders import selectors
from connect.reminders.rules import is_due
from connect.status.states import HEALTHY, AuthorizationPurpose, ConnectionState


@transaction.atomic
def change_settings(*, fleet: Fleet, enabled: bool, quiet_from: time, quiet_until: time, actor: User) -> bool:
    """Stores the fleet's settings. Returns False if nothing was changed."""
    row = selectors.get_reminder_settings(fleet=fleet)
    before = (row.enabled, row.quiet_from, row.quiet_until)
    if before == (enabled, quiet_from, quiet_until):
        return False
    row.enabled, row.quiet_from, row.quiet_until = enabled, quiet_from, quiet_until
    row.save()
    log_event(
        fleet=fleet,
        actor=actor,
        event=AuditEvent.REMINDERS_CHANGED,
        data={"enabled": enabled, "quiet_hours": f"{quiet_from:%H:%M}–{quiet_until:%H:%M}"},
    )
    return True


def remind_drivers(*, now: datetime) -> int:
    """Sends what is due, for all fleets. Returns the number of emails queued."""
    if not settings.EMAIL_ENABLED:
        return 0
    return sum(_remind_fleet(each, now) for each in selectors.enabled_settings())


def _remind_fleet(row: ReminderSettings, now: datetime) -> int:
    unasked = selectors.unasked_connections(fleet=row.fleet, now=now).values_list("pk", flat=True)
    asked = sum(_ask(row, connection_id, now) for connection_id in list(unasked))
    waiting = selectors.open_invitations(fleet=row.fleet, now=now).values_list("pk", flat=True)
    return asked + sum(_remind(row, invitation_id, now) for invitation_id in list(waiting))


@transaction.atomic
def _ask(row: ReminderSettings, connection_id: int, now: datetime) -> bool:
    """Sends the driver of a connection a link, if nobody did so meanwhile."""
    # The driver's connections are locked together: one link is enough for several vehicles of a make.
    first = Connection.objects.filter(pk=connection_id).first()
    if first is None or _is_quiet(row, first.smartcar_user_id, now):
        return False
    locked = Connection.objects.select_for_update(of=("self",), skip_locked=True).filter(
        fleet=row.fleet, smartcar_user_id=first.smartcar_user_id
    )
    if connection_id not in {each.pk for each in locked.order_by("pk")}:
        return False
    unasked = selectors.unasked_connections(fleet=row.fleet, now=now).filter(pk=connection_id)
    connection = unasked.select_related("vehicle", "fleet").first()
    if connection is None:
        return False
    driver = list_drivers(fleet=row.fleet, smartcar_user_ids=[connection.smartcar_user_id])[
        connection.smartcar_user_id
    ]
    purpose = (
        AuthorizationPurpose.PERMISSIONS
        if connection.state == ConnectionState.PERMISSION_MISSING
        else AuthorizationPurpose.SIGN_IN
    )
    create_link(connection=connection, user=None, purpose=purpose, driver=driver, by_email=True)
    return True


@transaction.atomic
def _remind(row: ReminderSettings, invitation_id: int, now: datetime) -> bool:
    """Reminds the driver of an unused link, if it is time and the link is still needed."""
    locked = Invitation.objects.select_for_update(of=("self",), skip_locked=True)
    invitation = locked.select_related("connection").filter(pk=invitation_id).first()
    if invitation is None or not invitation.open or not is_needed(invitation):
        return False
    last = invitation.reminders.order_by("-number").first()
    sent, since = (last.number, last.created_at) if last else (0, invitation.created_at)
    user_id = invitation.connection.smartcar_user_id if invitation.connection else ""
    if not is_due(sent=sent, since=since, now=now) or _is_quiet(row, user_id, now):
        return False
    reminder = DriverReminder.objects.create(invitation=invitation, number=sent + 1, created_at=now)
    queue_reminder(reminder=reminder)
    return True


def is_needed(invitation: Invitation) -> bool:
    """Whether the driver still has to do what the link is for: a request to sign in ends when the data flows again.

    A request to all drivers of a make stays, because a change at the manufacturer is coming.
    """
    if invitation.purpose != AuthorizationPurpose.SIGN_IN or invitation.bulk_request_id is not None:
        return True
    return invitation.connection is None or invitation.connection.state not in HEALTHY


def _is_quiet(row: ReminderSettings, smartcar_user_id: str, now: datetime) -> bool:
    zone = selectors.driver_zone(fleet=row.fleet, smartcar_user_id=smartcar_user_id)
    return row.is_quiet(now.astimezone(zone))
