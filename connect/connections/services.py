"""A manager's actions on a connection. Callers have checked the manager's permission."""

from django.db import transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import User
from connect.connections.selectors import Driver
from connect.invitations import services as invitations
from connect.invitations.models import UNNAMED
from connect.models import Connection, Invitation
from connect.permission_settings.selectors import requested_scopes
from connect.scopes import in_order
from connect.status.states import AuthorizationPurpose
from core.task_queue import enqueue_on_commit


def create_link(
    *,
    connection: Connection,
    user: User | None,
    purpose: AuthorizationPurpose,
    driver: Driver,
    by_email: bool,
) -> Invitation:
    """Creates an invitation for the driver of this connection. With `by_email`, its link is sent to the driver.

    Without a `user`, it is one of the fleet's automatic requests.
    """
    granted = set(connection.scopes)
    # Signing in again requests nothing new. Other purposes add what the fleet requests to what is granted.
    if purpose is not AuthorizationPurpose.SIGN_IN or not granted:
        granted |= set(requested_scopes(fleet=connection.fleet))
    return invitations.invite(
        fleet=connection.fleet,
        user=user,
        by_email=by_email,
        connection=connection,
        purpose=purpose,
        driver_name=driver.name or UNNAMED,
        driver_email=driver.email,
        scopes=in_order(granted),
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
