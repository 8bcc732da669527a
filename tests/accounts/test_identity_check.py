"""Ten minutes after a sign-in, giving or widening access and deleting data require reauthentication."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from django.test import Client

from accounts.members import services
from accounts.models import ApiToken, Fleet, MemberInvitation, Membership, Role, User
from accounts.permissions import PERMISSIONS
from connect.models import DriverPortal, OffboardingRequest
from core.signed_links import hash_token
from tests.accounts.conftest import PASSWORD, age_session, is_signed_in
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
MEMBERS = "/fleets/blue/members/"
INVITATION = {"email": "nia@home.example", "role": "owner", "language": "en"}


@pytest.fixture
def stale(person: User, fleet: Fleet, browser_of: BrowserOf) -> Client:
    """The owner's browser, eleven minutes after the sign-in."""
    client = browser_of(person)
    age_session(client)
    return client


def membership_of(user: User) -> Membership:
    return Membership.objects.select_related("fleet", "user").get(user=user)


def expect_question(client: Client, address: str, form: dict[str, str]) -> None:
    """Expects that the form is asked again with all that was entered, until the password is right."""
    for attempt in (form, {**form, "password": "wrong"}):
        answer = client.post(address, attempt)
        page = answer.content.decode()
        assert answer.status_code == 400
        assert "Confirm your identity" in page
        assert "no-store" in answer.headers["Cache-Control"]
        for name, value in form.items():
            assert f'<input type="hidden" name="{name}" value="{value}">' in page
        assert "wrong" not in page
    assert "Incorrect password" in page


def test_inviting_a_member_requires_reauthentication(stale: Client) -> None:
    expect_question(stale, MEMBERS, INVITATION)
    assert not MemberInvitation.objects.exists()
    assert stale.post(MEMBERS, INVITATION | {"password": PASSWORD}).status_code == 302
    assert MemberInvitation.objects.get().role == Role.OWNER


def test_a_mistake_in_the_form_is_shown_before_the_question(stale: Client) -> None:
    answer = stale.post(MEMBERS, INVITATION | {"email": "nobody"})
    assert "Confirm your identity" not in answer.content.decode()
    assert 'value="nobody"' in answer.content.decode()


def test_sending_an_invitation_again_requires_reauthentication(stale: Client, person: User) -> None:
    invitation = services.invite_member(
        fleet=membership_of(person).fleet, user=person, email="x@y.example", role=Role.VIEWER, language="en"
    )
    before = invitation.secret_hash
    address = f"{MEMBERS}invitations/{invitation.pk}/resend/"
    expect_question(stale, address, {})
    assert MemberInvitation.objects.get().secret_hash == before
    stale.post(address, {"password": PASSWORD})
    assert MemberInvitation.objects.get().secret_hash != before


def test_only_a_role_with_more_permissions_requires_reauthentication(stale: Client, viewer: User) -> None:
    address = f"{MEMBERS}{membership_of(viewer).pk}/role/"
    expect_question(stale, address, {"role": "manager"})
    assert membership_of(viewer).role == Role.VIEWER
    stale.post(address, {"role": "manager", "password": PASSWORD})
    assert membership_of(viewer).role == Role.MANAGER
    age_session(stale)
    stale.post(address, {"role": "viewer"})
    assert membership_of(viewer).role == Role.VIEWER


def test_permissions_of_roles_are_nested() -> None:
    """So that a role that isn't higher never gives a permission."""
    ranks = [PERMISSIONS[role] for role in (Role.DRIVER, Role.VIEWER, Role.MANAGER, Role.OWNER)]
    assert all(lower < higher for lower, higher in pairwise(ranks))


def test_a_token_that_only_reads_requires_reauthentication(stale: Client) -> None:
    form = {"name": "Reports", "days": "30"}
    assert stale.post("/fleets/blue/api-tokens/", form).status_code == 400
    assert not ApiToken.objects.exists()
    assert stale.post("/fleets/blue/api-tokens/", form | {"password": PASSWORD}).status_code == 200
    assert ApiToken.objects.count() == 1


def test_a_new_link_to_a_drivers_page_requires_reauthentication(stale: Client, fleet: Fleet) -> None:
    page = DriverPortal(fleet=fleet, smartcar_user_id="u-1", driver_name="Dana")
    page.secret_hash = hash_token(page.secret)
    page.save()
    address = f"/fleets/blue/drivers/{page.pk}/renew/"
    expect_question(stale, address, {})
    assert DriverPortal.objects.get().revoked_at is None
    stale.post(address, {"password": PASSWORD})
    assert DriverPortal.objects.filter(revoked_at=None).count() == 1
    assert DriverPortal.objects.count() == 2


def test_disconnecting_and_erasing_a_vehicle_requires_reauthentication(
    stale: Client, vehicle: Vehicle
) -> None:
    address = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/disconnect/"
    form = {"extent": "everything", "sure": "on"}
    expect_question(stale, address, form)
    assert not OffboardingRequest.objects.exists()


def test_a_migration_to_another_api_version_requires_reauthentication(stale: Client, fleet: Fleet) -> None:
    expect_question(stale, "/fleets/blue/integration/migration/", {"api_version": "v2"})
    fleet.refresh_from_db()
    assert fleet.api_version == "v3"


def test_only_a_shorter_retention_requires_reauthentication(stale: Client, fleet: Fleet) -> None:
    form = {
        "name": "Blue Fleet",
        "unit_system": "metric",
        "time_zone": "Europe/Berlin",
        "raw_retention_months": "24",
        "rollup_retention_months": "60",
    }
    assert stale.post("/fleets/blue/settings/", form).status_code == 302
    shorter = form | {"raw_retention_months": "2", "confirmed": "on"}
    expect_question(stale, "/fleets/blue/settings/", shorter)
    fleet.refresh_from_db()
    assert fleet.raw_retention_months == 24


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/admin/accounts/user/{user}/password/", {"password1": "a new passphrase", "password2": "x"}),
        ("/admin/accounts/membership/add/", {"fleet": "1", "user": "2", "role": "owner"}),
        ("/admin/accounts/user/add/", {"email": "new@x.example"}),
        ("/admin/connect/smartcarapplication/add/", {"name": "Second"}),
        ("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": "1"}),
    ],
)
def test_every_form_of_the_admin_requires_reauthentication(
    stale: Client, person: User, address: str, form: dict[str, str]
) -> None:
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    address = address.format(user=person.pk)
    assert stale.get(address).status_code == 200
    expect_question(stale, address, form)
    assert "Confirm your identity" not in stale.post(address, form | {"password": PASSWORD}).content.decode()


def test_signing_out_of_the_admin_needs_no_reauthentication(stale: Client, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_staff=True)
    stale.post("/admin/logout/")
    assert not is_signed_in(stale)


def test_the_admin_has_no_password_page_of_its_own(stale: Client, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_staff=True)
    assert stale.get("/admin/password_change/").headers["Location"] == "/accounts/password/"
    answer = stale.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": "x"})
    assert "Confirm your identity" in answer.content.decode()


def test_outsiders_and_managers_are_refused_before_the_question(
    fleet: Fleet, outsider: User, teammate: User, browser_of: BrowserOf
) -> None:
    for user, status in ((outsider, 404), (teammate, 403)):
        client = browser_of(user)
        age_session(client)
        assert client.post(MEMBERS, INVITATION).status_code == status
