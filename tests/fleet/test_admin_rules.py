"""The admin follows the product's rules: settings, owners, departures, permissions of actions, and the audit log."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as SitePermission
from django.test import Client
from django.utils import timezone

from accounts.admin.auditing import AuditedAdmin
from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, Membership, Role, User
from accounts.tokens.services import issue_token
from commands.models import Command, CommandState
from connect.models import FleetApplication
from tests.conftest import make_user
from vehicles.models import Vehicle
from webhooks.models import EntryState, InboxEntry

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("admin@fleet.example")


@pytest.fixture
def staff(superuser: User, browser_of: BrowserOf) -> Client:
    return browser_of(superuser)


def staff_with(*permissions: str) -> Client:
    """Returns the browser of staff with these permissions only."""
    user = make_user("helper@fleet.example")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.set(SitePermission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def membership_of(user: User) -> Membership:
    return Membership.objects.select_related("fleet", "user").get(user=user)


def fleet_form(fleet: Fleet, **changes: Any) -> dict[str, Any]:
    """Returns the fleet's form in the admin, with these changes. Members are given as {membership: role or None}."""
    members = changes.pop("members", {})
    form = {
        "name": fleet.name,
        "unit_system": fleet.unit_system,
        "time_zone": fleet.time_zone,
        "raw_retention_months": fleet.raw_retention_months,
        "rollup_retention_months": fleet.rollup_retention_months,
        **changes,
    }
    rows = list(Membership.objects.filter(fleet=fleet))
    form |= {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": len(rows)}
    for number, row in enumerate(rows):
        start = f"memberships-{number}-"
        role = members.get(row, row.role)
        form |= {f"{start}id": row.pk, f"{start}fleet": fleet.pk, f"{start}user": row.user_id}
        form |= {f"{start}role": role or row.role} | ({} if role else {f"{start}DELETE": "on"})
    return form


def change_fleet(browser: Client, fleet: Fleet, **changes: Any) -> str:
    answer = browser.post(f"/admin/accounts/fleet/{fleet.pk}/change/", fleet_form(fleet, **changes))
    fleet.refresh_from_db()
    return answer.content.decode()


def user_form(user: User, **changes: Any) -> dict[str, Any]:
    form = {
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "is_active": "on",
        "date_joined_0": "2026-11-01",
        "date_joined_1": "12:00:00",
        **changes,
    }
    return {name: value for name, value in form.items() if value is not None}


def test_a_time_zone_is_checked(staff: Client, fleet: Fleet) -> None:
    assert "a valid time zone" in change_fleet(staff, fleet, time_zone="Mars/Olympus")
    assert fleet.time_zone == "UTC"
    change_fleet(staff, fleet, time_zone="berlin")
    assert fleet.time_zone == "Europe/Berlin"
    entry = AuditLogEntry.objects.get(fleet=fleet, event=AuditEvent.FLEET_SETTINGS_CHANGED)
    assert entry.data == {"field": "time_zone", "from": "UTC", "to": "Europe/Berlin"}


def test_the_api_version_is_changed_only_by_a_migration(staff: Client, fleet: Fleet) -> None:
    change_fleet(staff, fleet, api_version="v2", name="Blue & Co")
    assert (fleet.api_version, fleet.name, fleet.slug) == ("v3", "Blue & Co", "blue")


def test_a_shorter_retention_needs_a_confirmation_and_is_logged(staff: Client, fleet: Fleet) -> None:
    page = change_fleet(staff, fleet, raw_retention_months=1)
    assert "will be deleted within an hour" in page
    assert fleet.raw_retention_months == 24
    change_fleet(staff, fleet, raw_retention_months=1, confirmed="on")
    assert fleet.raw_retention_months == 1
    assert AuditLogEntry.objects.filter(data__field="raw_retention_months", actor__isnull=False).exists()


@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_the_last_owner_stays_on_the_fleets_page(
    staff: Client, fleet: Fleet, owner: User, role: Role | None
) -> None:
    page = change_fleet(staff, fleet, members={membership_of(owner): role})
    assert "needs at least one active owner" in page
    assert membership_of(owner).role == Role.OWNER


def test_the_owner_is_replaced_in_one_step(staff: Client, fleet: Fleet, owner: User, viewer: User) -> None:
    change_fleet(staff, fleet, members={membership_of(owner): None, membership_of(viewer): Role.OWNER})
    assert [member.user for member in fleet.memberships.filter(role=Role.OWNER)] == [viewer]
    assert AuditLogEntry.objects.filter(event=AuditEvent.MEMBER_REMOVED, data__name=owner.email).exists()


def test_a_new_fleet_needs_an_owner(staff: Client, viewer: User) -> None:
    form = {"name": "New", "slug": "new", "unit_system": "metric", "time_zone": "UTC"}
    form |= {"raw_retention_months": "24", "rollup_retention_months": "60"}
    members = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0"}
    members |= {"memberships-0-user": str(viewer.pk), "memberships-0-role": "viewer"}
    staff.post("/admin/accounts/fleet/add/", form | members)
    assert not Fleet.objects.filter(slug="new").exists()
    staff.post("/admin/accounts/fleet/add/", form | members | {"memberships-0-role": "owner"})
    created = Fleet.objects.get(slug="new")
    assert AuditLogEntry.objects.filter(fleet=created, event=AuditEvent.ADMIN_CREATED).exists()
    assert AuditLogEntry.objects.filter(fleet=created, event=AuditEvent.MEMBER_ROLE_SET).exists()


def test_the_last_owner_stays_on_the_memberships_page(staff: Client, owner: User, fleet: Fleet) -> None:
    member = membership_of(owner)
    address = f"/admin/accounts/membership/{member.pk}/"
    page = staff.post(f"{address}change/", {"role": "viewer"}).content.decode()
    assert "needs at least one active owner" in page
    staff.post(f"{address}delete/", {"post": "yes"})
    action = {"action": "delete_selected", "_selected_action": member.pk, "post": "yes"}
    staff.post("/admin/accounts/membership/", action)
    assert membership_of(owner).role == Role.OWNER


def test_a_membership_keeps_its_person(staff: Client, viewer: User, outsider: User) -> None:
    member = membership_of(viewer)
    form = {"fleet": member.fleet_id, "user": outsider.pk, "role": "manager"}
    staff.post(f"/admin/accounts/membership/{member.pk}/change/", form)
    assert membership_of(viewer).role == Role.MANAGER
    assert AuditLogEntry.objects.filter(event=AuditEvent.MEMBER_ROLE_SET, data__role="manager").exists()


def waiting_command(user: User, vehicle: Vehicle) -> Command:
    now = timezone.now()
    return Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind="lock",
        api_version="v3",
        state=CommandState.WAITING,
        requested_by=user,
        requested_at=now,
        expires_at=now,
        changed_at=now,
    )


@pytest.mark.parametrize("way", ["page", "admin", "admin fleet form"])
def test_a_demoted_member_keeps_only_what_the_new_role_allows(
    owner: User,
    staff: Client,
    teammate: User,
    vehicle: Vehicle,
    browser_of: BrowserOf,
    way: str,
) -> None:
    member = membership_of(teammate)
    reading = issue_token(membership=member, name="Reads").token
    commanding = issue_token(membership=member, name="Commands", may_command=True).token
    command = waiting_command(teammate, vehicle)
    if way == "page":
        browser_of(owner).post(f"/fleets/blue/members/{member.pk}/role/", {"role": "viewer"})
    elif way == "admin":
        staff.post(f"/admin/accounts/membership/{member.pk}/change/", {"role": "viewer"})
    else:
        change_fleet(staff, vehicle.fleet, members={member: Role.VIEWER})
    for row in (reading, commanding, command):
        row.refresh_from_db()
    assert (reading.state, commanding.state, command.state) == ("open", "revoked", CommandState.CANCELLED)
    assert "may no longer send commands" in str(command.message)


def test_a_deactivated_user_loses_sessions_tokens_and_waiting_commands(
    staff: Client, teammate: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    token = issue_token(membership=membership_of(teammate), name="Reads").token
    command = waiting_command(teammate, vehicle)
    theirs = browser_of(teammate)
    address = f"/admin/accounts/user/{teammate.pk}/change/"
    assert staff.post(address, user_form(teammate, is_active=None)).status_code == 302
    for row in (teammate, token, command):
        row.refresh_from_db()
    assert not teammate.is_active
    assert (token.state, command.state) == ("revoked", CommandState.CANCELLED)
    assert theirs.get("/fleets/blue/").status_code == 302
    events = AuditLogEntry.objects.filter(fleet=vehicle.fleet).values_list("event", flat=True)
    assert {AuditEvent.MEMBER_DEACTIVATED, AuditEvent.TOKEN_REVOKED, AuditEvent.ADMIN_CHANGED} <= set(events)
    staff.post(address, user_form(teammate))
    token.refresh_from_db()
    assert token.state == "revoked"
    assert AuditLogEntry.objects.filter(event=AuditEvent.MEMBER_REACTIVATED).exists()


def test_the_only_active_owner_is_not_deactivated(
    staff: Client, owner: User, fleet: Fleet, viewer: User
) -> None:
    address = f"/admin/accounts/user/{owner.pk}/change/"
    page = staff.post(address, user_form(owner, is_active=None)).content.decode()
    assert "only active owner of Blue Fleet" in page
    Membership.objects.filter(user=viewer).update(role=Role.OWNER)
    assert staff.post(address, user_form(owner, is_active=None)).status_code == 302


def test_no_token_is_issued_to_a_deactivated_or_demoted_member(teammate: User) -> None:
    member = membership_of(teammate)
    Membership.objects.update(role=Role.VIEWER)
    with pytest.raises(Exception, match="sending commands"):
        issue_token(membership=member, name="Late", may_command=True)
    User.objects.update(is_active=False)
    with pytest.raises(Exception, match="no longer a member"):
        issue_token(membership=member, name="Late")


def test_only_superusers_change_superusers_and_give_rights(superuser: User, viewer: User) -> None:
    helper = staff_with("change_user", "view_user")
    form = user_form(viewer, is_staff="on", is_superuser="on")
    assert helper.post(f"/admin/accounts/user/{viewer.pk}/change/", form).status_code == 302
    viewer.refresh_from_db()
    assert not (viewer.is_staff or viewer.is_superuser)
    password = {"password1": "a long enough passphrase", "password2": "a long enough passphrase"}
    password["usable_password"] = "true"
    address = f"/admin/accounts/user/{superuser.pk}/"
    assert helper.post(f"{address}password/", password).status_code == 403
    assert helper.post(f"{address}change/", user_form(superuser)).status_code == 403
    assert helper.post(f"/admin/accounts/user/{viewer.pk}/password/", password).status_code == 302
    assert AuditLogEntry.objects.filter(event=AuditEvent.ADMIN_CHANGED, data__name=viewer.email).exists()


def test_only_superusers_change_groups(staff: Client, viewer: User) -> None:
    helper = staff_with("add_group", "change_group", "view_group", "delete_group")
    group = Group.objects.create(name="Readers")
    assert helper.get("/admin/auth/group/").status_code == 403
    assert helper.post(f"/admin/auth/group/{group.pk}/change/", {"name": "All"}).status_code == 403
    assert staff.post(f"/admin/auth/group/{group.pk}/change/", {"name": "All"}).status_code == 302
    assert AuditLogEntry.objects.get(event=AuditEvent.ADMIN_CHANGED).data["name"] == "All"


def actions() -> list[tuple[type[admin.ModelAdmin[Any]], str, str]]:
    """Returns all actions of the admin except deletion, with the model's label and the action's name."""
    return [
        (type(model_admin), model._meta.label_lower, str(name))
        for model, model_admin in admin.site._registry.items()
        for name in model_admin.actions or ()
    ]


@pytest.mark.parametrize(("model_admin", "label", "name"), actions(), ids=lambda value: str(value))
def test_every_action_needs_the_right_of_change(
    model_admin: type[admin.ModelAdmin[Any]], label: str, name: str
) -> None:
    function = getattr(model_admin, name)
    assert function.allowed_permissions in (["act"], ["change"], ["delete"])


def test_viewing_tokens_is_not_enough_to_revoke_one(owner: User, fleet: Fleet) -> None:
    token = issue_token(membership=membership_of(owner), name="Reads").token
    form = {"action": "revoke", "_selected_action": token.pk}
    staff_with("view_apitoken").post("/admin/accounts/apitoken/", form)
    token.refresh_from_db()
    assert token.state == "open"
    User.objects.filter(email="helper@fleet.example").delete()
    staff_with("view_apitoken", "change_apitoken").post("/admin/accounts/apitoken/", form)
    token.refresh_from_db()
    assert token.state == "revoked"


def test_staff_without_permission_see_no_webhook_log() -> None:
    entry = InboxEntry.objects.create(received_at=NOW, body=b"{}", state=EntryState.PROCESSED)
    addresses = [f"/webhooks/log/{end}" for end in ("", "entries/", f"{entry.pk}/", f"{entry.pk}/outcome/")]
    nobody = staff_with()
    assert {nobody.get(address).status_code for address in addresses} == {403}
    assert nobody.post(f"/webhooks/log/{entry.pk}/reprocess/").status_code == 403
    assert "/webhooks/log/" not in nobody.get("/accounts/").content.decode()
    User.objects.all().delete()
    reader = staff_with("view_inboxentry")
    assert {reader.get(address).status_code for address in addresses} == {200}
    assert "/webhooks/log/" in reader.get("/accounts/").content.decode()
    assert reader.post(f"/webhooks/log/{entry.pk}/reprocess/").status_code == 403
    User.objects.all().delete()
    operator = staff_with("view_inboxentry", "change_inboxentry")
    assert operator.post(f"/webhooks/log/{entry.pk}/reprocess/").status_code == 302
    assert AuditLogEntry.objects.filter(fleet=None, event=AuditEvent.DELIVERY_REPROCESSED).exists()


# Pages that write the audit log with the product's services instead.
BY_SERVICES = {Membership, FleetApplication}


def test_every_page_of_the_admin_that_changes_something_is_audited(superuser: User, rf: Any) -> None:
    request = rf.get("/admin/")
    request.user = superuser
    for model, model_admin in admin.site._registry.items():
        rights = (
            model_admin.has_add_permission(request),
            model_admin.has_change_permission(request),
            model_admin.has_delete_permission(request),
        )
        if any(rights):
            assert isinstance(model_admin, AuditedAdmin) or model in BY_SERVICES, model


def test_actions_are_audited(staff: Client, superuser: User) -> None:
    entry = InboxEntry.objects.create(received_at=NOW, body=b"{}", state=EntryState.PROCESSED)
    form = {"action": "process_again", "_selected_action": entry.pk}
    staff.post("/admin/webhooks/inboxentry/", form)
    logged = AuditLogEntry.objects.get(event=AuditEvent.ADMIN_ACTION)
    assert (logged.actor, logged.fleet, logged.data["action"]) == (superuser, None, "Process again")


def test_a_changed_application_is_logged_without_its_secrets(staff: Client) -> None:
    form = {"name": "Second", "application_id": "a", "client_id": "c", "webhook_id": "w"}
    form |= {"application_secret": "s3cret-1", "client_secret": "s3cret-2", "management_tokens": "s3cret-3"}
    page = staff.post("/admin/connect/smartcarapplication/add/", form)
    assert page.status_code == 302, page.content.decode()
    entry = AuditLogEntry.objects.get(event=AuditEvent.ADMIN_CREATED)
    assert entry.data["name"] == "Second"
    assert "s3cret" not in str(entry.data)


def test_a_fleet_sees_what_staff_changed(
    staff: Client, owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    form = {
        "name": "Van 9",
        "plate": "",
        "group": "",
        "driver": "",
        "make": "TESLA",
        "model": "Model 3",
        "year": 2022,
    }
    staff.post(f"/admin/vehicles/vehicle/{vehicle.pk}/change/", form)
    page = browser_of(owner).get("/fleets/blue/audit-log/").content.decode()
    assert "Changed in the admin" in page
    assert "Van 9" in page


def test_vehicles_are_not_deleted_in_the_admin(staff: Client, vehicle: Vehicle) -> None:
    """Deleting the row would leave the grants at Smartcar."""
    assert staff.post(f"/admin/vehicles/vehicle/{vehicle.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Vehicle.objects.exists()
