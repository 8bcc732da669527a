"""Users and fleets are deleted in the admin by the product's own steps: export, erasure, proof."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.members import erasure
from accounts.members.services import change_role, invite_member, remove_member
from accounts.models import ApiToken, AuditLogEntry, Fleet, Membership, Role, User
from accounts.services import add_member
from accounts.tokens.services import issue_token
from commands.models import Command, CommandState
from commands.services import cancel_command
from connect.models import Connection, ConnectionState, OffboardingRequest
from core.mail.models import OutgoingEmail
from dashboard.fleet_settings import deletion
from tests.fleet.routes import build_world
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("admin@fleet.example")


@pytest.fixture
def staff(superuser: User) -> Client:
    client = Client()
    client.force_login(superuser)
    return client


def membership_of(user: User) -> Membership:
    return Membership.objects.select_related("fleet", "user").get(user=user)


def export(staff: Client, address: str) -> list[dict[str, Any]]:
    answer = staff.post(f"/admin/accounts/{address}/export/")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return [json.loads(line) for line in answer.getvalue().decode().splitlines()]


def delete(staff: Client, address: str) -> str:
    page = staff.post(f"/admin/accounts/{address}/delete/", {"post": "yes"}, follow=True)
    return page.content.decode()


@pytest.fixture
def leaver(teammate: User, owner: User, vehicle: Vehicle) -> User:
    """A manager whose name and address are stored in many places."""
    User.objects.filter(pk=teammate.pk).update(first_name="Mara", last_name="Leaver")
    teammate.refresh_from_db()
    issue_token(membership=membership_of(teammate), name="Reports")
    now = timezone.now()
    command = Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind="lock",
        api_version="v3",
        state=CommandState.WAITING,
        requested_by=teammate,
        requested_at=now,
        expires_at=now,
        changed_at=now,
    )
    cancel_command(command=command, user=teammate)
    member = membership_of(teammate)
    change_role(membership=member, role=Role.VIEWER, user=owner)
    remove_member(membership=membership_of(teammate), user=owner)
    invite_member(fleet=vehicle.fleet, user=owner, email=teammate.email, role=Role.MANAGER, language="en")
    add_member(fleet=vehicle.fleet, user=teammate, role=Role.MANAGER, actor=owner)
    return teammate


def test_a_user_is_exported_then_deleted_without_a_trace(
    staff: Client, superuser: User, leaver: User
) -> None:
    address = f"user/{leaver.pk}"
    assert "export the data first" in delete(staff, address)
    assert User.objects.filter(pk=leaver.pk).exists()
    lines = export(staff, address)
    exported = {line["model"] for line in lines}
    assert {"accounts.User", "accounts.Membership", "accounts.ApiToken", "commands.Command"} <= exported
    assert leaver.email in str(lines)
    assert "secret_hash" not in str(lines)
    assert "password" not in str(lines)
    assert "successfully" in delete(staff, address)
    assert not User.objects.filter(pk=leaver.pk).exists()
    assert not ApiToken.objects.exists()
    assert not OutgoingEmail.objects.filter(recipient=leaver.email).exists()
    assert erasure.find_traces(leaver.email) == []
    assert erasure.find_traces("Mara Leaver") == []
    assert "Canceled by (deleted user)" in str(Command.objects.get().message)
    proof = AuditLogEntry.objects.get(event=AuditEvent.USER_ERASED)
    assert (proof.fleet, proof.actor, proof.data["traces"]) == (None, superuser, 0)
    assert proof.data["rows"]["audit log"] >= 4
    assert LogEntry.objects.filter(object_repr=erasure.ERASED).exists()


def test_an_address_in_a_text_that_people_entered_is_erased(superuser: User, leaver: User) -> None:
    Command.objects.update(reason=f"Asked by {leaver.email.upper()}, twice")
    erasure.erase_user(user=leaver, actor=superuser)
    assert Command.objects.get().reason == "Asked by …, twice"


def test_a_trace_that_is_left_stops_the_deletion(
    superuser: User, leaver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_redact", lambda address: 0)
    Command.objects.update(reason=f"Asked by {leaver.email}")
    pk = leaver.pk
    with pytest.raises(erasure.ErasureIncompleteError, match=r"commands\.Command\.reason"):
        erasure.erase_user(user=leaver, actor=superuser)
    assert User.objects.filter(pk=pk).exists()


def test_the_only_owner_of_a_fleet_is_not_deleted(staff: Client, owner: User, fleet: Fleet) -> None:
    export(staff, f"user/{owner.pk}")
    assert "the only active owner" in delete(staff, f"user/{owner.pk}")
    assert User.objects.filter(pk=owner.pk).exists()


def test_deleting_an_owner_keeps_the_fleet(
    staff: Client, owner: User, viewer: User, vehicle: Vehicle
) -> None:
    Membership.objects.filter(user=viewer).update(role=Role.OWNER)
    export(staff, f"user/{owner.pk}")
    delete(staff, f"user/{owner.pk}")
    assert not User.objects.filter(pk=owner.pk).exists()
    assert Vehicle.objects.filter(pk=vehicle.pk).exists()


def test_a_fleet_is_exported_offboarded_and_deleted(
    staff: Client, superuser: User, owner: User, viewer: User, outsider: User, vehicle: Vehicle
) -> None:
    build_world(owner=owner, member=viewer, vehicle=vehicle)
    LatestSignal.objects.create(
        vehicle=vehicle, code="odometer-traveleddistance", status="SUCCESS", reported_at=timezone.now()
    )
    fleet = vehicle.fleet
    address = f"fleet/{fleet.pk}"
    page = delete(staff, address)
    assert "export the data first" in page
    assert "offboard all vehicles first" in page
    lines = export(staff, address)
    exported = {line["model"] for line in lines}
    assert {"accounts.Fleet", "vehicles.Vehicle", "vehicles.LatestSignal", "vehicles.Place"} <= exported
    assert "nonce" not in str(lines)
    staff.post("/admin/accounts/fleet/", {"action": "offboard_vehicles", "_selected_action": fleet.pk})
    assert set(Connection.objects.values_list("state", flat=True)) == {ConnectionState.REMOVED}
    assert "wait until all vehicles are offboarded" in delete(staff, address)
    assert Fleet.objects.filter(pk=fleet.pk).exists()
    OffboardingRequest.objects.update(finished_at=timezone.now())
    assert "successfully" in delete(staff, address)
    assert not Fleet.objects.filter(pk=fleet.pk).exists()
    assert deletion.count_remaining(fleet.pk) == 0
    proof = AuditLogEntry.objects.get(event=AuditEvent.FLEET_DELETED)
    assert (proof.fleet, proof.actor, proof.data["remaining"]) == (None, superuser, 0)
    assert proof.data["rows"]["vehicles.Vehicle"] == 1
    assert Fleet.objects.filter(slug="red").exists()
    assert User.objects.filter(pk=owner.pk).exists()


def test_a_vehicle_that_is_connected_again_must_be_offboarded_again(
    superuser: User, vehicle: Vehicle
) -> None:
    deletion.offboard_all(fleet=vehicle.fleet, actor=superuser)
    OffboardingRequest.objects.update(finished_at=timezone.now())
    Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-2",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
    assert any("offboard all" in reason for reason in deletion.obstacles(fleet=vehicle.fleet))
    with pytest.raises(deletion.FleetNotDeletableError):
        deletion.delete_fleet(fleet=vehicle.fleet, actor=superuser)


def test_exports_and_deletions_need_permissions(owner: User, viewer: User, vehicle: Vehicle) -> None:
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    client = Client()
    client.force_login(viewer)
    for address in (f"user/{owner.pk}", f"fleet/{vehicle.fleet_id}"):
        assert client.post(f"/admin/accounts/{address}/export/").status_code == 404
        assert client.post(f"/admin/accounts/{address}/delete/", {"post": "yes"}).status_code == 403
    assert Vehicle.objects.exists()
