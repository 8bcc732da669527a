"""Every POST of pages, the API and the admin leaves an entry in the audit log, or is listed here with the reason."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, User
from commands.models import Command
from tests.fleet.routes import World, build_world, list_routes
from tests.fleet.test_roles import RULES
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]

_OWN_ACCOUNT = "The user's own account: the user is told by email, and no fleet's data changes."
_SIGN_IN = "Sessions record sign-ins, and failed attempts are counted (accounts.attempts)."
_OWN_VIEW = "What the user's own pages show. No data changes, and nobody gets access."
_SAME_EMAIL = "Sends an email again that was logged when it was first requested, to the same person."
_READS = "Reads from Smartcar on request, as the site does by itself. API usage counts the call."

EXEMPT = {
    "account_login": _SIGN_IN,
    "accounts:sign_in": _SIGN_IN,
    "accounts:sign_out": _SIGN_IN,
    "account_logout": _SIGN_IN,
    "mfa_authenticate": _SIGN_IN,
    "mfa_login_webauthn": _SIGN_IN,
    "account_reauthenticate": _SIGN_IN,
    "mfa_reauthenticate": _SIGN_IN,
    "mfa_reauthenticate_webauthn": _SIGN_IN,
    "accounts:end_session": _SIGN_IN,
    "accounts:end_other_sessions": _SIGN_IN,
    "accounts:account": _OWN_ACCOUNT,
    "mfa_index": _OWN_ACCOUNT,
    "mfa_list_webauthn": _OWN_ACCOUNT,
    "account_confirm_email": _OWN_ACCOUNT,
    "account_reset_password": _OWN_ACCOUNT,
    "account_reset_password_from_key": _OWN_ACCOUNT,
    "account_email": _OWN_ACCOUNT,
    "account_change_password": _OWN_ACCOUNT,
    "account_set_password": _OWN_ACCOUNT,
    "mfa_activate_totp": _OWN_ACCOUNT,
    "mfa_deactivate_totp": _OWN_ACCOUNT,
    "mfa_generate_recovery_codes": _OWN_ACCOUNT,
    "mfa_add_webauthn": _OWN_ACCOUNT,
    "mfa_edit_webauthn": _OWN_ACCOUNT,
    "mfa_remove_webauthn": _OWN_ACCOUNT,
    "alerts:settings": _OWN_VIEW,
    "dashboard:columns": _OWN_VIEW,
    "dashboard:save_view": _OWN_VIEW,
    "dashboard:delete_view": _OWN_VIEW,
    "connect:portal_language": _OWN_VIEW,
    "connect:portal_time_zone": _OWN_VIEW,
    "connect:link_request": "Sends a driver's own links again, to the address on record.",
    "alerts:acknowledge": "The alert itself stores who acknowledged it, and when.",
    "commands:bulk": "Shows the review. Nothing is stored until it is sent.",
    "connect:driver_retry_email": _SAME_EMAIL,
    "connect:invitation_retry_email": _SAME_EMAIL,
    "connect:integration_check": _READS,
    "connections:compatibility": "Shows Smartcar's answer about a vehicle that isn't connected. Nothing is stored.",
    "dashboard:refresh": _READS,
    "webhooks:smartcar": "Smartcar's deliveries. The webhook log stores each of them.",
    "webhooks/smartcar": "Smartcar's deliveries. The webhook log stores each of them.",
    "^api/": "There is no such call.",
}

_VEHICLE = "11111111-2222-4333-8444-555555555555"
_PLACE = {"name": "Yard", "kind": "depot", "latitude": "1.5", "longitude": "2.5", "radius": "100"}
_FLEET = {
    "name": "Other",
    "unit_system": "metric",
    "time_zone": "UTC",
    "raw_retention_months": "24",
    "rollup_retention_months": "60",
}
_REMINDERS = {"enabled": "on", "quiet_from": "20:00", "quiet_until": "08:00"}
# The form and the event of each other POST, sent by an owner.
AUDITED: dict[str, tuple[dict[str, Any], AuditEvent]] = {
    "accounts:members": (
        {"email": "a@b.example", "role": "viewer", "language": "en"},
        AuditEvent.MEMBER_INVITED,
    ),
    "accounts:members_role": ({"role": "manager"}, AuditEvent.MEMBER_ROLE_SET),
    "accounts:members_remove": ({}, AuditEvent.MEMBER_REMOVED),
    "accounts:members_resend": ({}, AuditEvent.MEMBER_INVITATION_RESENT),
    "accounts:members_revoke": ({}, AuditEvent.MEMBER_INVITATION_REVOKED),
    "accounts:tokens": ({"name": "Reports", "days": "30"}, AuditEvent.TOKEN_CREATED),
    "accounts:revoke_token": ({}, AuditEvent.TOKEN_REVOKED),
    "accounts:service_accounts": ({"name": "Night", "days": "30"}, AuditEvent.SERVICE_ACCOUNT_CREATED),
    "accounts:revoke_service_account": ({}, AuditEvent.SERVICE_ACCOUNT_REVOKED),
    "alerts:fleet_settings": ({"low_battery": "31"}, AuditEvent.ALERT_SETTINGS_CHANGED),
    "commands:policy": ({"reason_for": "everything"}, AuditEvent.COMMAND_POLICY_CHANGED),
    "commands:bulk_send": ({"kind": "lock"}, AuditEvent.BULK_COMMAND_REQUESTED),
    "commands:bulk_cancel": ({}, AuditEvent.BULK_COMMAND_CANCELED),
    "commands:create": ({}, AuditEvent.COMMAND_REQUESTED),
    "commands:scheduled_new": (
        {"kind": "lock", "at": "20:00", "repeats": "weekly", "weekdays": "0"},
        AuditEvent.SCHEDULE_CREATED,
    ),
    "commands:scheduled_pause": ({}, AuditEvent.SCHEDULE_PAUSED),
    "commands:scheduled_delete": ({}, AuditEvent.SCHEDULE_DELETED),
    "commands:cancel": ({}, AuditEvent.COMMAND_CANCELED),
    "commands:when_online": ({}, AuditEvent.COMMAND_REQUESTED),
    "connections:permissions": ({"report": "warnings"}, AuditEvent.FLEET_PERMISSIONS_CHANGED),
    "connections:requests": ({"purpose": "permissions"}, AuditEvent.DRIVERS_ASKED),
    "connections:request_renew": ({}, AuditEvent.DRIVER_INVITED),
    "connections:reminders": (_REMINDERS, AuditEvent.REMINDERS_CHANGED),
    "connect:business_fleet": ({"model": "Model Y"}, AuditEvent.ADOPTION_STARTED),
    "connect:business_fleet_drop": ({}, AuditEvent.ADOPTION_ENDED),
    "connect:disconnect": ({"extent": "nothing"}, AuditEvent.VEHICLE_DISCONNECTED),
    "connect:driver_close": ({}, AuditEvent.DRIVER_PORTAL_CLOSED),
    "connect:driver_renew": ({}, AuditEvent.DRIVER_PORTAL_RENEWED),
    "connect:integration_migrate": ({"api_version": "v2"}, AuditEvent.MIGRATION_STARTED),
    "connect:integration_stop": ({}, AuditEvent.MIGRATION_STOPPED),
    "connect:integration_send_link": ({}, AuditEvent.DRIVER_INVITED),
    "connect:integration_send_all_links": ({}, AuditEvent.DRIVER_INVITED),
    "connect:invitations": ({"driver_name": "Nia", "mode": "live"}, AuditEvent.DRIVER_INVITED),
    "connect:revoke_invitation": ({}, AuditEvent.DRIVER_INVITATION_REVOKED),
    "connect:portal_action": ({"lasts": "hour"}, AuditEvent.DRIVER_LOCATION_HIDDEN),
    "connect:portal_close": ({}, AuditEvent.DRIVER_PORTAL_CLOSED),
    "connections:check": ({}, AuditEvent.CONNECTION_CHECKED),
    "connections:link": ({"purpose": "sign_in", "driver_name": "Dana"}, AuditEvent.DRIVER_INVITED),
    "dashboard:onboarding_hide": ({}, AuditEvent.SETUP_CHECKLIST_HIDDEN),
    "dashboard:place": (_PLACE, AuditEvent.PLACE_CHANGED),
    "dashboard:place_delete": ({}, AuditEvent.PLACE_DELETED),
    "dashboard:place_new": (_PLACE, AuditEvent.PLACE_CREATED),
    "dashboard:settings": (_FLEET, AuditEvent.FLEET_SETTINGS_CHANGED),
    "dashboard:new_vehicles": (
        {"vehicle": _VEHICLE, f"{_VEHICLE}-name": "Van 9"},
        AuditEvent.VEHICLE_DETAILS_CHANGED,
    ),
    "dashboard:vehicle_settings": ({"name": "Van 9"}, AuditEvent.VEHICLE_DETAILS_CHANGED),
    "dashboard:vehicle_vin": ({}, AuditEvent.VEHICLE_VIN_VIEWED),
    "new_fleet": (_FLEET, AuditEvent.MEMBER_ROLE_SET),
    "usage:set_limit": ({"calls": "100"}, AuditEvent.USAGE_LIMIT_SET),
    "webhooks:reprocess": ({}, AuditEvent.DELIVERY_REPROCESSED),
    "webhooks:vin": ({}, AuditEvent.DELIVERY_VIN_VIEWED),
    "webhooks:site_reprocess": ({}, AuditEvent.DELIVERY_REPROCESSED),
    "api:vin": ({}, AuditEvent.VEHICLE_VIN_VIEWED),
    "api:delivery_vin": ({}, AuditEvent.DELIVERY_VIN_VIEWED),
    "api:vehicle_commands": ({"kind": "lock"}, AuditEvent.COMMAND_REQUESTED),
    "api:cancel_command": ({}, AuditEvent.COMMAND_CANCELED),
}
# Tested where what they need exists: another account, a second application, a running migration.
ELSEWHERE = {
    "accounts:invitation": "tests/accounts/members/test_invitations.py",
    "connect:integration_send_link": "tests/connect/test_application_moves.py",
    "connect:integration_send_all_links": "tests/connect/test_application_moves.py",
    "connect:integration_stop": "tests/connect/v2/test_api_migration.py",
    "commands:bulk_cancel": "tests/commands/bulk/test_bulk.py",
}
ROUTES = {route.name: route for route in list_routes()}


@pytest.fixture
def world(owner: User, viewer: User, vehicle: Vehicle) -> World:
    return build_world(owner=owner, member=viewer, vehicle=vehicle)


def test_every_post_is_audited_or_exempt_with_a_reason() -> None:
    posts = {name for name, rule in RULES.items() if rule.post is not None}
    assert posts == set(AUDITED) | set(EXEMPT) | set(ELSEWHERE)
    assert not set(AUDITED) & set(EXEMPT)


@pytest.mark.parametrize("name", sorted(set(AUDITED) - set(ELSEWHERE)))
def test_a_post_leaves_its_entry(
    name: str, world: World, owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    form, event = AUDITED[name]
    if name in ("commands:bulk_send", "commands:scheduled_new"):
        form = form | {"vehicles": vehicle.smartcar_id}
    if name in ("commands:create", "commands:when_online", "commands:bulk_send", "api:vehicle_commands"):
        Command.objects.filter(state="waiting").delete()
    AuditLogEntry.objects.all().delete()
    more: dict[str, Any] = {"content_type": "application/json"} if name.startswith("api:") and form else {}
    answer = browser_of(owner).post(world.address(ROUTES[name]), form, **more)
    assert answer.status_code in (200, 201, 302), answer.content.decode()
    entry = AuditLogEntry.objects.filter(event=event).first()
    assert entry is not None, list(AuditLogEntry.objects.values_list("event", flat=True))
    assert entry.actor == owner or entry.data.get("by_driver")


@pytest.mark.parametrize(
    ("action", "form", "event"),
    [
        ("pause", {"lasts": "day"}, AuditEvent.DRIVER_LOCATION_HIDDEN),
        ("resume", {}, AuditEvent.DRIVER_LOCATION_SHOWN),
        ("hours", {"starts": "08:00", "ends": "17:00"}, AuditEvent.DRIVER_SCHEDULE_SET),
        ("all-hours", {}, AuditEvent.DRIVER_SCHEDULE_CLEARED),
        ("withdraw", {"extent": "nothing"}, AuditEvent.VEHICLE_DISCONNECTED),
        ("erase", {"extent": "everything", "sure": "on"}, AuditEvent.VEHICLE_DISCONNECTED),
    ],
)
def test_each_action_of_a_driver_leaves_its_entry(
    action: str, form: dict[str, str], event: AuditEvent, world: World
) -> None:
    page = f"/connect/driver/{world.arguments['secret']}/{world.arguments['connection_id']}"
    if action in ("resume", "all-hours"):
        before = {
            "resume": ("pause", {"lasts": "day"}),
            "all-hours": ("hours", {"starts": "08:00", "ends": "17:00"}),
        }
        first, first_form = before[action]
        Client().post(f"{page}/{first}/", first_form)
    AuditLogEntry.objects.all().delete()
    Client().post(f"{page}/{action}/", form)
    entry = AuditLogEntry.objects.filter(event=event).first()
    assert entry is not None
    assert entry.data.get("by_driver")
