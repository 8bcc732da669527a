"""Every page and every API call as every role, an outsider and an anonymous visitor. A new URL needs an expectation."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from accounts.permissions import PERMISSIONS, Permission
from tests.fleet.routes import Route, World, build_world, list_routes
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db


class Audience(Enum):
    """Who may open what doesn't depend on a role in a fleet."""

    ANYONE = auto()
    SIGNED_IN = auto()
    STAFF = auto()
    OWNER_OF_ANY_FLEET = auto()


Access = Permission | Audience
ANYONE, SIGNED_IN, STAFF = Audience.ANYONE, Audience.SIGNED_IN, Audience.STAFF


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may GET and POST a page; None: nobody, the method isn't allowed. `form` is a valid form for the POST."""

    get: Access | None
    post: Access | None = None
    form: tuple[tuple[str, str], ...] = ()


def reads(access: Access) -> Rule:
    return Rule(get=access)


def writes(access: Access, **form: str) -> Rule:
    return Rule(get=None, post=access, form=tuple(form.items()))


def both(get: Access, post: Access | None = None, **form: str) -> Rule:
    return Rule(get=get, post=post or get, form=tuple(form.items()))


VIEW, CONNECT, COMMAND = Permission.VIEW, Permission.CONNECT, Permission.COMMAND
ADMINISTER, INSPECT, AUDIT = Permission.ADMINISTER, Permission.INSPECT, Permission.AUDIT
BUDGET, MOVE = Permission.BUDGET, Permission.MOVE

RULES: dict[str, Rule] = {
    # Pages that need no account
    "api:schema": reads(ANYONE),
    "api_reference": reads(ANYONE),
    "account_login": both(ANYONE),
    "accounts:sign_in": both(ANYONE),
    "accounts:sign_out": writes(ANYONE),
    "account_logout": writes(ANYONE),
    "account_inactive": reads(ANYONE),
    "mfa_authenticate": both(ANYONE),
    "mfa_login_webauthn": both(ANYONE),
    "account_confirm_email": both(ANYONE),
    "account_reset_password": both(ANYONE),
    "account_reset_password_done": reads(ANYONE),
    "account_reset_password_from_key": both(ANYONE),
    "account_reset_password_from_key_done": reads(ANYONE),
    "accounts:invitation": both(ANYONE),
    "connect:callback": reads(ANYONE),
    "connect:invitation": reads(ANYONE),
    "connect:invitation_start": reads(ANYONE),
    "connect:portal": reads(ANYONE),
    "connect:portal_close": writes(ANYONE),
    "connect:link_request": both(ANYONE, email="dana@home.example"),
    "connect:portal_language": writes(ANYONE, language="de"),
    "connect:portal_time_zone": writes(ANYONE, time_zone="Asia/Tokyo"),
    "connect:portal_data": reads(ANYONE),
    "connect:portal_values": reads(ANYONE),
    "connect:portal_receipt": reads(ANYONE),
    "connect:portal_receipt_progress": reads(ANYONE),
    "connect:portal_action": writes(ANYONE, lasts="hour"),
    "webhooks:smartcar": both(ANYONE),
    "webhooks/smartcar": both(ANYONE),
    "^api/": both(ANYONE),
    # The user's own
    "home": reads(SIGNED_IN),
    "accounts:account": both(SIGNED_IN, first_name="Nia"),
    "mfa_index": both(SIGNED_IN),
    "mfa_list_webauthn": both(SIGNED_IN),
    "accounts:end_session": writes(SIGNED_IN),
    "accounts:end_other_sessions": writes(SIGNED_IN),
    "accounts:passkey_challenge": reads(SIGNED_IN),
    "account_reauthenticate": both(SIGNED_IN),
    "mfa_reauthenticate": both(SIGNED_IN),
    "mfa_reauthenticate_webauthn": both(SIGNED_IN),
    "account_email": both(SIGNED_IN),
    "account_change_password": both(SIGNED_IN),
    "account_set_password": both(SIGNED_IN),
    "mfa_activate_totp": both(SIGNED_IN),
    "mfa_deactivate_totp": both(SIGNED_IN),
    "mfa_view_recovery_codes": reads(SIGNED_IN),
    "mfa_generate_recovery_codes": both(SIGNED_IN),
    "mfa_download_recovery_codes": reads(SIGNED_IN),
    "mfa_add_webauthn": both(SIGNED_IN),
    "mfa_edit_webauthn": both(SIGNED_IN),
    "mfa_remove_webauthn": both(SIGNED_IN),
    "alerts:badge_all": reads(SIGNED_IN),
    "alerts:recent_all": reads(SIGNED_IN),
    "new_fleet": both(Audience.OWNER_OF_ANY_FLEET),
    # The site's
    "style_guide": reads(STAFF),
    "webhooks:site_log": reads(STAFF),
    "webhooks:site_entries": reads(STAFF),
    "webhooks:site_delivery": reads(STAFF),
    "webhooks:site_outcome": reads(STAFF),
    "webhooks:site_reprocess": writes(STAFF),
    # Vehicles
    "dashboard:vehicles": reads(VIEW),
    "dashboard:vehicles_fragment": reads(VIEW),
    "dashboard:map_data": reads(VIEW),
    "dashboard:map_popup": reads(VIEW),
    "dashboard:matching": reads(COMMAND),
    "dashboard:new_vehicles": writes(CONNECT),
    "dashboard:columns": writes(VIEW),
    "dashboard:save_view": writes(VIEW, name="Low"),
    "dashboard:delete_view": writes(VIEW),
    "dashboard:live": reads(VIEW),
    "dashboard:vehicle": reads(VIEW),
    "dashboard:side_panel": reads(VIEW),
    "dashboard:values": reads(VIEW),
    "dashboard:refresh": writes(COMMAND),
    "dashboard:vehicle_history": reads(VIEW),
    "dashboard:vehicle_history_data": reads(VIEW),
    "dashboard:vehicle_history_csv": reads(VIEW),
    "dashboard:vehicle_events": reads(VIEW),
    "dashboard:vehicle_connection": reads(VIEW),
    "dashboard:vehicle_settings": both(VIEW, CONNECT, name="Van 9"),
    "dashboard:vehicle_vin": writes(CONNECT),
    "dashboard:vehicle_signals": reads(VIEW),
    "dashboard:signals": reads(VIEW),
    "dashboard:palette": reads(VIEW),
    "dashboard:places": reads(VIEW),
    "dashboard:place_new": both(CONNECT),
    "dashboard:place": both(CONNECT),
    "dashboard:place_delete": writes(CONNECT),
    # Commands
    "commands:history": reads(VIEW),
    "commands:policy": both(ADMINISTER, reason_for="everything"),
    "commands:bulk": both(VIEW, COMMAND, kind="lock"),
    "commands:bulk_send": writes(COMMAND, kind="lock"),
    "commands:scheduled": reads(VIEW),
    "commands:scheduled_new": both(COMMAND, kind="lock"),
    "commands:scheduled_pause": writes(COMMAND),
    "commands:scheduled_delete": writes(COMMAND),
    "commands:bulk_progress": reads(VIEW),
    "commands:bulk_cancel": writes(COMMAND),
    "commands:panel": reads(VIEW),
    "commands:create": writes(COMMAND),
    "commands:cancel": writes(COMMAND),
    "commands:when_online": writes(COMMAND),
    # Connections
    "connections:overview": reads(CONNECT),
    "connections:detail": reads(CONNECT),
    "connections:status": reads(CONNECT),
    "connections:link": writes(CONNECT, purpose="sign_in", driver_name="Dana"),
    "connections:check": writes(CONNECT),
    "connections:authorize": reads(CONNECT),
    "connections:permissions": both(CONNECT, report="warnings"),
    "connections:compatibility": both(CONNECT, make="Tesla"),
    "connections:coverage": reads(CONNECT),
    "connections:requests": both(CONNECT, purpose="permissions"),
    "connections:request": reads(CONNECT),
    "connections:request_progress": reads(CONNECT),
    "connections:request_renew": writes(CONNECT),
    "connections:reminders": writes(ADMINISTER, enabled="on", quiet_from="20:00", quiet_until="08:00"),
    "connect:business_fleet": writes(MOVE),
    "connect:business_fleet_drop": writes(MOVE),
    "connect:start": reads(CONNECT),
    "connect:own_vehicle": reads(CONNECT),
    "connect:disconnect": both(CONNECT, extent="nothing"),
    "connect:reconciliation": reads(CONNECT),
    "connect:offboarding_list": reads(CONNECT),
    "connect:offboarding": reads(CONNECT),
    "connect:offboarding_progress": reads(CONNECT),
    "connect:drivers": reads(CONNECT),
    "connect:driver_close": writes(CONNECT),
    "connect:driver_renew": writes(CONNECT),
    "connect:driver_retry_email": writes(CONNECT),
    "connect:integration": reads(CONNECT),
    "connect:integration_check": writes(CONNECT),
    "connect:integration_send_all_links": writes(CONNECT),
    "connect:integration_send_link": writes(CONNECT),
    "connect:integration_migrate": writes(MOVE, api_version="v2"),
    "connect:integration_stop": writes(MOVE),
    "connect:integration_progress": reads(CONNECT),
    "connect:invitations": both(CONNECT, driver_name="Dana", mode="live"),
    "connect:revoke_invitation": writes(CONNECT),
    "connect:invitation_retry_email": writes(CONNECT),
    "usage:overview": reads(BUDGET),
    "usage:set_limit": writes(BUDGET, calls="100"),
    "webhooks:log": reads(INSPECT),
    "webhooks:entries": reads(INSPECT),
    "webhooks:delivery": reads(INSPECT),
    "webhooks:outcome": reads(INSPECT),
    "webhooks:reprocess": writes(INSPECT),
    "webhooks:vin": writes(INSPECT),
    # The fleet
    "dashboard:onboarding": reads(CONNECT),
    "dashboard:onboarding_steps": reads(CONNECT),
    "dashboard:onboarding_hide": writes(CONNECT),
    "dashboard:audit_log": reads(AUDIT),
    "dashboard:audit_log_csv": reads(AUDIT),
    "dashboard:settings": both(CONNECT, ADMINISTER),
    "alerts:overview": reads(VIEW),
    "alerts:acknowledge": writes(CONNECT),
    "alerts:settings": both(VIEW, in_app="battery"),
    "alerts:fleet_settings": writes(CONNECT, low_battery="30"),
    "alerts:badge": reads(VIEW),
    "alerts:recent": reads(VIEW),
    "accounts:members": both(ADMINISTER),
    "accounts:members_role": writes(ADMINISTER, role="manager"),
    "accounts:members_remove": writes(ADMINISTER),
    "accounts:members_resend": writes(ADMINISTER),
    "accounts:members_revoke": writes(ADMINISTER),
    "accounts:tokens": both(VIEW, name="Reports", days="30"),
    "accounts:revoke_token": writes(VIEW),
    "accounts:service_accounts": both(ADMINISTER, name="Reports", days="30"),
    "accounts:revoke_service_account": writes(ADMINISTER),
    # The API
    "api:root": reads(SIGNED_IN),
    "api:vehicles": reads(VIEW),
    "api:vehicle": reads(VIEW),
    "api:vin": writes(CONNECT),
    "api:signals": reads(VIEW),
    "api:history": reads(VIEW),
    "api:vehicle_commands": both(VIEW, COMMAND, kind="start_charge"),
    "api:commands": reads(VIEW),
    "api:command": reads(VIEW),
    "api:cancel_command": writes(COMMAND),
    "api:deliveries": reads(INSPECT),
    "api:delivery": reads(INSPECT),
    "api:delivery_vin": writes(INSPECT),
}
# Objects that only their owner or the fleet's owners have: others get 404 although their role has the permission.
OF_ONE_USER = {"accounts:revoke_token", "accounts:end_session", "mfa_edit_webauthn", "mfa_remove_webauthn"}
# Streams that stay open.
ENDLESS = {"dashboard:live"}
ROUTES = list_routes()


@pytest.fixture
def world(owner: User, viewer: User, vehicle: Vehicle) -> World:
    return build_world(owner=owner, member=viewer, vehicle=vehicle)


@pytest.fixture
def people(
    owner: User, teammate: User, viewer: User, driver: User, outsider: User
) -> dict[str, tuple[User | None, Role | None]]:
    return {
        "anonymous": (None, None),
        "outsider": (outsider, None),
        "driver": (driver, Role.DRIVER),
        "viewer": (viewer, Role.VIEWER),
        "manager": (teammate, Role.MANAGER),
        "owner": (owner, Role.OWNER),
    }


def test_every_url_has_an_expectation() -> None:
    assert {route.name for route in ROUTES} == set(RULES)


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_role_sees_and_does_what_it_may(
    route: Route, world: World, people: dict[str, tuple[User | None, Role | None]]
) -> None:
    rule = RULES[route.name]
    address = world.address(route)
    if route.name.startswith("api:") and isinstance(rule.get or rule.post, Permission):
        # Without it, calls are about all fleets in which the caller has the permission.
        address = f"{address}?fleet=blue"
    for name, (user, role) in people.items():
        client = browser_of(user)
        for method, access in (("get", rule.get), ("post", rule.post)):
            allowed = may(access, user, role)
            if allowed and route.name in ENDLESS:
                continue
            status = request(client, route, address, method, rule).status_code
            expected = f"{method} {address} as {name}: {status}"
            if access is None:
                assert status in (302, 401, 405) or route.name in LINKS, expected
            elif allowed:
                assert status in (200, 201, 204, 302, 400, 409) or route.name in OF_ONE_USER | LINKS, expected
            elif user is None:
                assert status in (302, 401), expected
            elif isinstance(access, Permission):
                assert status == (403 if role else 404), expected
            else:
                assert status == 403, expected


# Pages whose answer is about a link, the session or the setup, not about the visitor: without these it is 404.
LINKS = {
    "account_confirm_email",
    "account_reset_password_from_key",
    "webhooks:smartcar",
    "webhooks/smartcar",
    "^api/",
    "accounts:invitation",
    "connect:integration_send_link",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "account_reauthenticate",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
}


def may(access: Access | None, user: User | None, role: Role | None) -> bool:
    """Whether the rule lets this person in."""
    if isinstance(access, Permission):
        return role is not None and access in PERMISSIONS[role]
    if access is Audience.OWNER_OF_ANY_FLEET:
        # The outsider owns another fleet.
        return user is not None and role in (None, Role.OWNER)
    return access is Audience.ANYONE or (access is Audience.SIGNED_IN and user is not None)


def browser_of(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def request(client: Client, route: Route, address: str, method: str, rule: Rule) -> HttpResponse:
    """Sends the request in a transaction that is undone, so that the next person finds the same."""
    form: dict[str, Any] = dict(rule.form) if method == "post" else {}
    more = {"content_type": "application/json"} if route.name.startswith("api:") and form else {}
    with transaction.atomic():
        answer: HttpResponse = getattr(client, method)(address, form, **more)
        transaction.set_rollback(True)
    return answer


@pytest.mark.parametrize("name", ["anonymous", "outsider", "driver", "viewer", "manager", "owner"])
def test_no_role_in_a_fleet_opens_the_admin(
    name: str, people: dict[str, tuple[User | None, Role | None]]
) -> None:
    client = browser_of(people[name][0])
    addresses = ["/admin/"]
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        addresses += [reverse(f"admin:{label}_changelist"), reverse(f"admin:{label}_change", args=[1])]
    for address in addresses:
        for answer in (client.get(address), client.post(address, {})):
            assert answer.status_code == 302, address
            assert answer.headers["Location"].startswith("/admin/login/"), address
