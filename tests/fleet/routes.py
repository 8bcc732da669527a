"""All URLs of the site, and a fleet in which each of them leads somewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.members.services import invite_member
from accounts.models import Membership, Role, User
from accounts.tokens.service_accounts import create_service_account
from accounts.tokens.services import issue_token
from alerts.models import Alert
from alerts.types import AlertType
from commands.bulk.models import BulkCommand
from commands.models import Command, CommandState
from commands.scheduled.services import Timing, create_schedule
from commands.types import CommandType
from connect.bulk_requests.services import ask_drivers
from connect.driver_portal.models import DriverPortal
from connect.invitations.services import invite
from connect.models import AdoptionRule, Connection, ConnectionState, GrantRevocation, OffboardingRequest
from connect.offboarding.models import ErasureScope
from connect.status.states import AuthorizationPurpose
from core.signed_links import hash_token
from dashboard.models import SavedView
from vehicles.models import Place, Vehicle
from webhooks.models import EntryState, InboxEntry


@dataclass(frozen=True, slots=True)
class Route:
    """One URL pattern: its name with namespaces (the pattern, if it has none), and the names of its arguments."""

    name: str
    arguments: tuple[str, ...]


def list_routes() -> list[Route]:
    """Returns the routes of all pages and of the API, without the admin's and old addresses."""
    return sorted(set(_walk(get_resolver().url_patterns, "", ())), key=lambda route: route.name)


def _walk(
    patterns: list[URLPattern | URLResolver], prefix: str, namespaces: tuple[str, ...]
) -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
                yield from _walk(pattern.url_patterns, path, inner)
        elif getattr(pattern.callback, "__module__", "") != "fleet.legacy_urls":
            name = ":".join([*namespaces, pattern.name]) if pattern.name else path
            yield Route(name, tuple(re.findall(r"<(?:\w+:)?(\w+)>", path)))


@dataclass(frozen=True, slots=True)
class World:
    """A fleet with one object of each kind. `arguments` are those of the routes, by argument and by route."""

    arguments: dict[str, Any]
    special: dict[str, dict[str, Any]]

    def address(self, route: Route) -> str:
        """Returns an address that leads to an object."""
        known = self.arguments | self.special.get(route.name, {})
        if route.name.startswith("^") or "/" in route.name:
            return "/" + route.name.lstrip("^")
        return reverse(route.name, kwargs={name: known[name] for name in route.arguments})


def build_world(*, owner: User, member: User, vehicle: Vehicle) -> World:
    """Creates an object of each kind in the vehicle's fleet. `member` is a viewer there."""
    fleet, now = vehicle.fleet, timezone.now()
    membership = Membership.objects.select_related("fleet", "user").get(user=owner, fleet=fleet)
    connection = Connection.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
        scopes=["read_location", "control_security"],
    )
    invitation = invite(fleet=fleet, user=owner, by_email=False, driver_name="Dana", scopes=["read_location"])
    page = DriverPortal(fleet=fleet, smartcar_user_id="user-1", driver_name="Dana")
    page.secret_hash = hash_token(page.secret)
    page.save()
    invited = invite_member(fleet=fleet, user=owner, email="new@x.example", role=Role.VIEWER, language="en")
    offboarding = OffboardingRequest.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        connection=connection,
        extent=ErasureScope.NOTHING,
        until=now,
        finished_at=now,
    )
    GrantRevocation.objects.create(offboarding=offboarding, connection=connection)
    bulk = BulkCommand.objects.create(
        fleet=fleet, kind="lock", requested_by=owner, requested_at=now, expires_at=now
    )
    schedule = create_schedule(
        fleet=fleet,
        user=owner,
        vehicles=[vehicle],
        kind=CommandType.LOCK,
        data={},
        timing=Timing(time(20), weekdays=range(7)),
    )
    times = {"requested_at": now, "expires_at": now, "changed_at": now}
    command = Command.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        connection=connection,
        kind="lock",
        api_version="v3",
        state=CommandState.WAITING,
        requested_by=owner,
        **times,
    )
    asleep = Command.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        connection=connection,
        kind="lock",
        api_version="v3",
        state=CommandState.REFUSED,
        error_type="VEHICLE_STATE",
        error_code="ASLEEP",
        requested_by=owner,
        **times,
    )
    place = Place.objects.create(fleet=fleet, name="Depot", latitude=1, longitude=2, radius=100)
    view = SavedView.objects.create(fleet=fleet, user=owner, name="Mine", query="", shared=True)
    # A fleet sees deliveries from the time of its connection on.
    entry = InboxEntry.objects.create(
        received_at=timezone.now(),
        body=b"{}",
        state=EntryState.PROCESSED,
        smartcar_vehicle_id=vehicle.smartcar_id,
    )
    Alert.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        kind=AlertType.BATTERY,
        subject_id=vehicle.pk,
        payload={"level": 9, "threshold": 20, "fuel": False},
        opened_at=now,
        last_raised_at=now,
    )
    asked = ask_drivers(fleet=fleet, purpose=AuthorizationPurpose.PERMISSIONS, user=owner)
    token = issue_token(membership=membership, name="Reports").token
    arguments = {
        "slug": fleet.slug,
        "smartcar_id": vehicle.smartcar_id,
        "vehicle_id": vehicle.pk,
        "membership_id": Membership.objects.get(user=member, fleet=fleet).pk,
        "connection_id": connection.pk,
        "offboarding_id": offboarding.pk,
        "page_id": page.pk,
        "bulk_id": bulk.pk,
        "schedule_id": schedule.pk,
        "command_id": command.pk,
        "place_id": place.pk,
        "view_id": view.pk,
        "entry_id": entry.pk,
        "delivery_id": entry.pk,
        "token_id": token.pk,
        "kind": "lock",
        "code": "tractionbattery-stateofcharge",
        "purpose": "sign_in",
        "action": "pause",
        "secret": page.secret,
        "invitation_id": invitation.pk,
        "request_id": asked.pk,
        "rule_id": AdoptionRule.objects.create(fleet=fleet).pk,
        "key": "forged",
        "pk": 0,
        "uidb36": "0",
    }
    account = create_service_account(
        fleet=fleet, actor=owner, name="Night", scopes=[], expires_at=now + timedelta(days=30)
    ).token
    special: dict[str, dict[str, Any]] = {
        "connections:request_renew": {"invitation_id": asked.invitations.get().pk},
        "accounts:revoke_service_account": {"token_id": account.pk},
        "commands:when_online": {"command_id": asleep.pk},
        "accounts:members_resend": {"invitation_id": invited.pk},
        "accounts:members_revoke": {"invitation_id": invited.pk},
        "accounts:invitation": {"secret": invited.secret},
        "connect:invitation": {"secret": invitation.secret},
        "connect:invitation_start": {"secret": invitation.secret},
    }
    return World(arguments, special)
