"""The audit log of a fleet: who did what, to which object, and when."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditLogEntry, Fleet, User


class AuditEvent(models.TextChoices):
    """The loggable events. Values are stored and must never change; labels are shown in the reader's language."""

    ADOPTION_ENDED = "adoption.ended", _("Automatic adding of vehicles turned off")
    ADOPTION_STARTED = "adoption.started", _("Automatic adding of vehicles turned on")
    ADMIN_ACTION = "admin.action", _("Action in the admin")
    ADMIN_CHANGED = "admin.changed", _("Changed in the admin")
    ADMIN_CREATED = "admin.created", _("Created in the admin")
    ADMIN_DELETED = "admin.deleted", _("Deleted in the admin")
    ALERT_SETTINGS_CHANGED = "alerts.settings_changed", _("Alert settings changed")
    APPLICATION_CHOSEN = "application.chosen", _("Smartcar application chosen")
    APPLICATION_VEHICLE_MIGRATED = "application.vehicle_migrated", _("Vehicle moved to the new application")
    BULK_COMMAND_CANCELED = "bulk_command.canceled", _("Bulk command canceled")
    BULK_COMMAND_REQUESTED = "bulk_command.requested", _("Bulk command requested")
    COMMAND_CANCELED = "command.canceled", _("Command canceled")
    COMMAND_REQUESTED = "command.requested", _("Command requested")
    SCHEDULE_CREATED = "command_schedule.created", _("Command scheduled")
    SCHEDULE_DELETED = "command_schedule.deleted", _("Scheduled command deleted")
    SCHEDULE_ENDED = "command_schedule.ended", _("Scheduled command ended")
    SCHEDULE_PAUSED = "command_schedule.paused", _("Scheduled command paused")
    SCHEDULE_RESUMED = "command_schedule.resumed", _("Scheduled command resumed")
    COMMAND_POLICY_CHANGED = "commands.policy_changed", _("Command policy changed")
    CONNECTION_BATTERY_SELECTED = "connection.battery_selected", _("Battery size selected")
    CONNECTION_CHECKED = "connection.checked", _("Connection check requested")
    CONNECTION_REAUTHENTICATED = "connection.reauthenticated", _("Connection reauthenticated")
    COMMAND_PLACE_VIEWED = "command.place_viewed", _("Destination viewed")
    DELIVERY_REPROCESSED = "delivery.reprocessed", _("Delivery reprocessed")
    DRIVERS_ASKED = "drivers.asked", _("Request sent to several drivers")
    DELIVERY_VIN_VIEWED = "delivery.vin_viewed", _("VIN in a delivery viewed")
    DRIVER_INVITATION_REVOKED = "driver.invitation_revoked", _("Driver invitation revoked")
    DRIVER_INVITATION_VIN_VIEWED = "driver.invitation_vin_viewed", _("VIN in an invitation viewed")
    DRIVER_INVITED = "driver.invited", _("Driver invited")
    DRIVER_LOCATION_HIDDEN = "driver.location_hidden", _("Location hidden")
    DRIVER_LOCATION_SHOWN = "driver.location_shown", _("Location shown again")
    DRIVER_PORTAL_CLOSED = "driver.portal_closed", _("Driver page closed")
    DRIVER_PORTAL_RENEWED = "driver.portal_renewed", _("Driver page link renewed")
    DRIVER_SCHEDULE_CLEARED = "driver.schedule_cleared", _("Location sharing hours removed")
    DRIVER_SCHEDULE_SET = "driver.schedule_set", _("Location sharing hours set")
    FLEET_PERMISSIONS_CHANGED = "fleet.permissions_changed", _("Requested permissions changed")
    FLEET_DELETED = "fleet.deleted", _("Fleet deleted")
    FLEET_SETTINGS_CHANGED = "fleet.settings_changed", _("Fleet settings changed")
    MEMBER_DEACTIVATED = "member.deactivated", _("Account deactivated")
    MEMBER_INVITATION_RESENT = "member.invitation_resent", _("Member invitation sent again")
    MEMBER_INVITATION_REVOKED = "member.invitation_revoked", _("Member invitation revoked")
    MEMBER_INVITED = "member.invited", _("Member invited")
    MEMBER_REACTIVATED = "member.reactivated", _("Account reactivated")
    MEMBER_REMOVED = "member.removed", _("Member removed")
    MEMBER_ROLE_SET = "member.role_set", _("Member role set")
    MIGRATION_FINISHED = "migration.finished", _("API migration finished")
    MIGRATION_STARTED = "migration.started", _("API migration started")
    MIGRATION_STOPPED = "migration.stopped", _("API migration stopped")
    OTHER = "other", _("Other")
    PLACE_CHANGED = "place.changed", _("Place changed")
    PLACE_CREATED = "place.created", _("Place created")
    PLACE_DELETED = "place.deleted", _("Place deleted")
    REMINDERS_CHANGED = "reminders.changed", _("Automatic reminders changed")
    SERVICE_ACCOUNT_CREATED = "service_account.created", _("Service account created")
    SERVICE_ACCOUNT_REVOKED = "service_account.revoked", _("Service account revoked")
    SETUP_CHECKLIST_HIDDEN = "setup.checklist_hidden", _("Setup checklist hidden")
    TOKEN_CREATED = "token.created", _("API token created")
    TOKEN_REVOKED = "token.revoked", _("API token revoked")
    USAGE_LIMIT_SET = "usage.limit_set", _("Monthly API limit set")
    VEHICLE_ADOPTED = "vehicle.adopted", _("Vehicle added automatically")
    USER_ERASED = "user.erased", _("Account deleted")
    VEHICLE_CONNECTED = "vehicle.connected", _("Vehicle connected")
    VEHICLE_DETAILS_CHANGED = "vehicle.details_changed", _("Vehicle details changed")
    VEHICLE_DISCONNECTED = "vehicle.disconnected", _("Vehicle disconnected")
    VEHICLE_ERASURE_REQUESTED = "vehicle.erasure_requested", _("Deletion of vehicle data requested")
    VEHICLE_RETIRED = "vehicle.retired", _("Vehicle retired automatically")
    VEHICLE_VIN_VIEWED = "vehicle.vin_viewed", _("VIN viewed")


class AuditObject(models.TextChoices):
    """The kinds of objects that entries are about.

    A vehicle's ID is Smartcar's; any other ID is the row's primary key.
    """

    API_TOKEN = "api_token", _("API token")
    APPLICATION = "application", _("Smartcar application")
    BULK_COMMAND = "bulk_command", _("Bulk command")
    BULK_REQUEST = "bulk_request", _("Request to drivers")
    COMMAND = "command", _("Command")
    CONNECTION = "connection", _("Connection")
    DELIVERY = "delivery", _("Delivery")
    DRIVER_PORTAL = "driver_portal", _("Driver page")
    FLEET = "fleet", _("Fleet")
    INVITATION = "invitation", _("Invitation")
    MEMBER = "member", _("Member")
    MEMBER_INVITATION = "member_invitation", _("Member invitation")
    MIGRATION = "migration", _("API migration")
    PLACE = "place", _("Location")
    RECORD = "record", _("Record")
    SCHEDULED_COMMAND = "scheduled_command", _("Scheduled command")
    SERVICE_ACCOUNT = "service_account", _("Service account")
    VEHICLE = "vehicle", _("Vehicle")


def log_event(
    *,
    fleet: Fleet | None,
    actor: User | None,
    event: AuditEvent,
    about: tuple[AuditObject, object] | None = None,
    data: Mapping[str, Any] | None = None,
) -> AuditLogEntry:
    """Writes an entry in the caller's transaction. `about` is the object's kind and ID; `data` contains JSON values.

    `data` contains names, and old and new values, never a VIN, a location or a token. Without an `actor`, the system or
    a driver performed the action; `data["by_driver"]` marks a driver. Without a `fleet`, the entry is about the site,
    and only staff see it.
    """
    kind, key = about or ("", "")
    return AuditLogEntry.objects.create(
        fleet=fleet,
        actor=actor,
        event=event,
        object_type=kind,
        object_id=str(key)[:64],
        data=dict(data or {}),
    )
