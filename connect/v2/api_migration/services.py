"""Starting, stopping and repeating a fleet's migration. Callers check the permission first."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications
from connect.applications import Application
from connect.models import Connection, SmartcarApplication
from connect.status.states import TERMINATED
from connect.v2.api_migration import worker
from connect.v2.api_migration.models import ApiMigration, MigrationState
from core.task_queue import enqueue_on_commit

TASK = "connect.v2.tasks.migrate_fleet"


class CannotStartError(Exception):
    """The migration can't start. str() is a message for the user, in the active language: why, and what to do next."""


def start_migration(*, fleet: Fleet, to: str, actor: User | None) -> ApiMigration:
    """Starts the migration of the fleet and of every connection that still uses the other API version.

    Starting again after the end retries connections that could not be migrated. Raises CannotStartError.
    """
    _check(fleet, to)
    try:
        with transaction.atomic():
            migration = ApiMigration.objects.create(fleet=fleet, api_version=to, started_by=actor)
            worker.add_connections(migration)
            log_event(
                fleet=fleet,
                actor=actor,
                event=AuditEvent.MIGRATION_STARTED,
                about=(AuditObject.MIGRATION, migration.pk),
                data={"to": to},
            )
            enqueue_on_commit(TASK, migration.pk)
    except IntegrityError as error:
        message = _(
            "A migration is already in progress for this fleet. Wait until the migration is "
            "complete, or stop it."
        )
        raise CannotStartError(message) from error
    return migration


def stop_migration(*, fleet: Fleet, actor: User | None) -> bool:
    """Stops the running migration. Migrated connections stay migrated; the fleet's own API version is unchanged."""
    running = ApiMigration.objects.filter(fleet=fleet, state=MigrationState.RUNNING)
    stopped = running.update(state=MigrationState.STOPPED, ended_at=timezone.now()) == 1
    if stopped:
        log_event(fleet=fleet, actor=actor, event=AuditEvent.MIGRATION_STOPPED)
    return stopped


def _check(fleet: Fleet, to: str) -> None:
    remaining = Connection.objects.filter(fleet=fleet).exclude(api_version=to).exclude(state__in=TERMINATED)
    rows = SmartcarApplication.objects.filter(connections__in=remaining).distinct()
    for application in [applications.for_fleet(fleet), *map(applications.get_application, rows)]:
        missing = _missing(application, to)
        if missing:
            raise CannotStartError(
                missing % {"name": _(application.name) if application.row is None else application.name}
            )


def _missing(application: Application, to: str) -> str:
    """The message that the application lacks a credential or ID for the API version; "" if it has all of them."""
    credentials = application.credentials
    if not application.webhook_id:
        return _(
            "The Smartcar application (%(name)s) has no webhook ID. Set the ID (see “Test "
            "credentials”) and start again."
        )
    if to == SmartcarApiVersion.V3 and not (credentials.client_id and credentials.client_secret):
        return _(
            "The Smartcar application (%(name)s) has no client ID and secret for v3. Set both "
            "(see “Test credentials”) and start again."
        )
    if to == SmartcarApiVersion.V2 and not (credentials.application_id and credentials.application_secret):
        return _(
            "The Smartcar application (%(name)s) has no application secret for v2. Set the "
            "secret (see “Test credentials”) and start again."
        )
    return ""
