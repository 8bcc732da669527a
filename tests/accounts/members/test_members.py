"""The members page of a fleet: access, roles, removal, and that at least one owner remains."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from accounts.audit import AuditEvent
from accounts.members import services
from accounts.models import AuditLogEntry, Fleet, MemberInvitation, Membership, Role, User
from accounts.services import add_member
from accounts.tokens.services import TokenNotAllowed, find_token, issue_token

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/members/"


def membership_of(user: User) -> Membership:
    return Membership.objects.select_related("fleet", "user").get(user=user)


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 200), ("teammate", 403), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owners_see_and_change_members(
    request: pytest.FixtureRequest, fleet: Fleet, role: str, status: int, viewer: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(request.getfixturevalue(role))
    assert browser.get(PAGE).status_code == status
    if status == 200:
        return
    member = membership_of(viewer)
    pending = services.invite_member(
        fleet=fleet,
        user=viewer,
        email="new@x.example",
        role=Role.VIEWER,
        language="en",
    )
    for address, form in (
        (PAGE, {"email": "friend@x.example", "role": "owner", "language": "en"}),
        (f"{PAGE}{member.pk}/role/", {"role": "owner"}),
        (f"{PAGE}{member.pk}/remove/", {}),
        (f"{PAGE}invitations/{pending.pk}/resend/", {}),
        (f"{PAGE}invitations/{pending.pk}/revoke/", {}),
    ):
        assert browser.post(address, form).status_code == status
    assert membership_of(viewer).role == Role.VIEWER
    assert [invitation.open for invitation in MemberInvitation.objects.all()] == [True]


def test_anonymous_users_are_redirected_to_sign_in(fleet: Fleet) -> None:
    assert Client().get(PAGE).headers["Location"].startswith("/accounts/sign-in/")


def test_a_changed_role_applies_immediately(owner: User, viewer: User, browser_of: BrowserOf) -> None:
    promoted = browser_of(viewer)
    assert promoted.get(PAGE).status_code == 403
    browser_of(owner).post(f"{PAGE}{membership_of(viewer).pk}/role/", {"role": "owner"})
    assert promoted.get(PAGE).status_code == 200
    entry = AuditLogEntry.objects.first()
    assert entry is not None
    assert (entry.actor, entry.event, entry.data) == (
        owner,
        AuditEvent.MEMBER_ROLE_SET,
        {"name": viewer.email, "role": "owner"},
    )


def test_an_unknown_role_is_rejected(owner: User, viewer: User, browser_of: BrowserOf) -> None:
    answer = browser_of(owner).post(f"{PAGE}{membership_of(viewer).pk}/role/", {"role": "driver"})
    assert (answer.status_code, membership_of(viewer).role) == (404, Role.VIEWER)


def test_a_removed_member_and_their_tokens_lose_access(
    owner: User, viewer: User, browser_of: BrowserOf
) -> None:
    secret = issue_token(membership=membership_of(viewer), name="Reports").secret
    removed = browser_of(viewer)
    page = browser_of(owner).post(f"{PAGE}{membership_of(viewer).pk}/remove/", follow=True)
    assert "is no longer a member" in page.content.decode()
    assert removed.get("/fleets/blue/").status_code == 404
    assert find_token(secret=secret) is None
    answer = Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/vehicles/")
    assert answer.status_code == 401
    logged = AuditLogEntry.objects.filter(actor=owner).values_list("event", flat=True)
    assert {AuditEvent.MEMBER_REMOVED, AuditEvent.TOKEN_REVOKED} <= set(logged)


@pytest.mark.parametrize("way", ["page", "admin", "admin action", "admin fleet form"])
def test_tokens_of_a_removed_member_stay_revoked_after_a_new_invitation(
    fleet: Fleet, owner: User, viewer: User, outsider: User, browser_of: BrowserOf, way: str
) -> None:
    member = membership_of(viewer)
    secret = issue_token(membership=member, name="Reports").secret
    kept = issue_token(membership=membership_of(owner), name="Other").secret
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    remove(browser_of(owner), fleet, member, way)
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert AuditLogEntry.objects.filter(event=AuditEvent.MEMBER_REMOVED, data__name=viewer.email).exists()
    invitation = services.invite_member(
        fleet=fleet, user=owner, email=viewer.email, role=Role.VIEWER, language="en"
    )
    services.accept_invitation(invitation=invitation, user=viewer)
    assert find_token(secret=secret) is None
    assert find_token(secret=kept) is not None


def remove(browser: Client, fleet: Fleet, member: Membership, way: str) -> None:
    """Removes the member in one of the ways that exist."""
    if way == "page":
        browser.post(f"{PAGE}{member.pk}/remove/")
    elif way == "admin":
        browser.post(f"/admin/accounts/membership/{member.pk}/delete/", {"post": "yes"})
    elif way == "admin action":
        form = {"action": "delete_selected", "_selected_action": member.pk, "post": "yes"}
        browser.post("/admin/accounts/membership/", form)
    else:
        address = f"/admin/accounts/fleet/{fleet.pk}/change/"
        page = browser.get(address).context["adminform"].form
        form = {name: page.initial.get(name, "") for name in page.fields}
        rows = list(Membership.objects.filter(fleet=fleet))
        form |= {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": len(rows)}
        for number, row in enumerate(rows):
            start = f"memberships-{number}-"
            form |= {f"{start}id": row.pk, f"{start}fleet": fleet.pk, f"{start}user": row.user_id}
            form |= {f"{start}role": row.role} | ({f"{start}DELETE": "on"} if row == member else {})
        browser.post(address, form)


def test_no_token_is_issued_for_a_membership_that_has_ended(viewer: User, owner: User) -> None:
    member = membership_of(viewer)
    services.remove_member(membership=membership_of(viewer), user=owner)
    with pytest.raises(TokenNotAllowed):
        issue_token(membership=member, name="Reports")


@pytest.mark.parametrize(("action", "form"), [("role", {"role": "viewer"}), ("remove", {})])
def test_the_last_owner_cannot_be_removed_or_demoted(
    owner: User, fleet: Fleet, browser_of: BrowserOf, action: str, form: dict[str, str]
) -> None:
    page = browser_of(owner).post(f"{PAGE}{membership_of(owner).pk}/{action}/", form, follow=True)
    assert "A fleet needs at least one owner. Make another member an owner first" in page.content.decode()
    assert membership_of(owner).role == Role.OWNER


def test_an_owner_whose_account_is_closed_does_not_count(owner: User, viewer: User, fleet: Fleet) -> None:
    add_member(fleet=fleet, user=viewer, role=Role.OWNER, actor=owner)
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    with pytest.raises(services.MemberError):
        services.remove_member(membership=membership_of(owner), user=owner)


def test_one_of_two_owners_may_leave(owner: User, viewer: User, fleet: Fleet, browser_of: BrowserOf) -> None:
    add_member(fleet=fleet, user=viewer, role=Role.OWNER, actor=owner)
    assert browser_of(owner).post(f"{PAGE}{membership_of(owner).pk}/remove/").headers["Location"] == "/"
    assert not Membership.objects.filter(user=owner).exists()


def test_members_of_another_fleet_are_not_found(
    owner: User, fleet: Fleet, outsider: User, browser_of: BrowserOf
) -> None:
    other = membership_of(outsider)
    for action in ("role", "remove"):
        assert browser_of(owner).post(f"{PAGE}{other.pk}/{action}/", {"role": "viewer"}).status_code == 404
    assert membership_of(outsider).role == Role.OWNER


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_concurrently_leave_one(
    owner: User, viewer: User, fleet: Fleet
) -> None:
    add_member(fleet=fleet, user=viewer, role=Role.OWNER, actor=owner)
    both = [membership_of(owner), membership_of(viewer)]
    start = threading.Barrier(2)

    def remove(mine: Membership, other: Membership) -> None:
        start.wait()
        try:
            services.remove_member(membership=other, user=mine.user)
        except services.MemberError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in (both, both[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Membership.objects.filter(fleet=fleet, role=Role.OWNER).count() == 1
