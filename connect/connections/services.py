"""A manager's actions on a connection. Callers have checked the manager's permission."""

from django.db import transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import User
from connect.connections.selectors import Driver
from connect.invitations import services as invitations
from connect.invitations.models import UNNAMED
from connect.models import Connection, Invitation
from connect.scopes import FLEET_SCOPES
from connect.status.states import AuthorizationPurpose
from core.task_queue import enqueue_on_commit


def create_link(
    *, connection: Connection, user: User, purpose: AuthorizationPurpose, driver: Driver, by_email: bool
) -> Invitation:
    """Creates an invitation for the driver of this connection. With `by_email`, its link is sent to the driver."""
    granted = set(connection.scopes)
    # Signing in again requests nothing new. Other purposes add what the fleet uses to what is granted.
    requested = (
        granted if purpose is AuthorizationPurpose.SIGN_IN and granted else granted | set(FLEET_SCOPES)
    )
    known = [name for name in FLEET_SCOPES if name in requested]
    return invitations.invite(
        fleet=connection.fleet,
        user=user,
        by_email=by_email,
        connection=connection,
        purpose=purpose,
        driver_name=driver.name or UNNAMED,
        driver_email=driver.email,
        scopes=[*known, *sorted(requested - set(known))],
        mode=connection.mode,
        make=connection.vehicle.make,
        single_select=True,
    )


@transaction.atomic
def check_connection(*, connection: Connection, user: User) -> None:
    """Enqueues a probe of the connection, regardless of its state."""
    log_event(
        fleet=connection.fleet,
        actor=user,
        event=AuditEvent.CONNECTION_CHECKED,
        about=(AuditObject.VEHICLE, connection.vehicle.smartcar_id),
    )
    enqueue_on_commit("connect.tasks.probe_connection", connection.pk)
