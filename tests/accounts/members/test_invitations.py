"""Member invitations: created, sent, accepted once by the invited person, and expired."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.members import services
from accounts.models import AuditLogEntry, Fleet, MemberInvitation, Membership, Role, User
from core.mail.models import EmailError, EmailState, OutgoingEmail
from tests.accounts.conftest import PASSWORD, is_signed_in, sign_in
from tests.conftest import make_user
from tests.outgoing import send_pending

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/members/"
NEW = {"first_name": "Nia", "last_name": "Berg", "password": PASSWORD}
INVITE = {"email": "Nia@Home.example", "role": "manager", "language": "de"}


@pytest.fixture
def invitation(owner: User, fleet: Fleet) -> MemberInvitation:
    return services.invite_member(
        fleet=fleet, user=owner, email="nia@home.example", role=Role.MANAGER, language="en"
    )


def members() -> set[str]:
    return set(Membership.objects.filter(fleet__slug="blue").values_list("user__email", flat=True))


def test_without_email_the_link_is_shown_once_and_only_a_hash_is_stored(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    page = browser.post(PAGE, INVITE, follow=True).content.decode()
    invitation = MemberInvitation.objects.get()
    assert invitation.url in page
    assert "Invitation created for nia@home.example" in page
    assert invitation.secret not in str(MemberInvitation.objects.values().get())
    assert invitation.secret not in browser.get(PAGE).content.decode()
    assert AuditLogEntry.objects.filter(
        event=AuditEvent.MEMBER_INVITED, data={"name": "nia@home.example", "role": "manager"}
    ).exists()
    assert mail.outbox == []


@pytest.mark.usefixtures("mails")
def test_with_email_a_worker_sends_the_invitation_in_the_chosen_language(
    owner: User,
    fleet: Fleet,
    browser_of: BrowserOf,
    run_enqueued: Callable[[], list[str]],
    django_capture_on_commit_callbacks: object,
) -> None:
    browser = browser_of(owner)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        page = browser.post(PAGE, INVITE, follow=True).content.decode()
    invitation = MemberInvitation.objects.get()
    assert invitation.secret not in page
    assert run_enqueued() == ["core.tasks.send_email"]
    (sent,) = mail.outbox
    assert sent.to == ["nia@home.example"]
    assert invitation.url in sent.body
    assert "Email sent" in browser.get(PAGE).content.decode()
    assert send_pending() == []


@pytest.mark.usefixtures("mails")
def test_a_failed_email_is_shown_with_the_reason_and_sent_again(
    invitation: MemberInvitation, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    assert "Sending email" in browser.get(PAGE).content.decode()
    OutgoingEmail.objects.update(error=EmailError.UNREACHABLE)
    page = browser.get(PAGE).content.decode()
    assert "Email not sent yet. The mail server couldn&#x27;t be reached." in page
    OutgoingEmail.objects.update(state=EmailState.FAILED, error=EmailError.RECIPIENT_REJECTED)
    page = browser.get(PAGE).content.decode()
    assert "Email not sent. The mail server rejected the recipient&#x27;s address." in page
    assert "Resend" in page
    browser.post(f"{PAGE}invitations/{invitation.pk}/resend/")
    assert len(send_pending()) == 1
    assert "Email sent" in browser.get(PAGE).content.decode()


@pytest.mark.usefixtures("mails")
def test_an_invitation_sent_again_before_the_first_email_left_is_sent_once(
    invitation: MemberInvitation, owner: User
) -> None:
    services.resend_invitation(invitation=invitation, user=owner)
    invitation.refresh_from_db()
    (text,) = send_pending()
    assert invitation.url in text


@pytest.mark.usefixtures("mails")
def test_a_revoked_invitation_is_not_sent(invitation: MemberInvitation, owner: User) -> None:
    services.revoke_invitation(invitation=invitation, user=owner)
    assert send_pending() == []
    assert OutgoingEmail.objects.get().state == EmailState.CANCELED


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (
            {"email": "manager@fleet.example"},
            "This person is already a member. Change the role in the list of members",
        ),
        (
            {"email": "MANAGER@fleet.example"},
            "This person is already a member. Change the role in the list of members",
        ),
        ({"email": "no address"}, "valid email"),
        ({"role": "driver"}, "Select a valid choice"),
    ],
)
def test_invalid_invitations_show_the_error_and_preserve_the_form(
    owner: User, teammate: User, browser_of: BrowserOf, form: dict[str, str], problem: str
) -> None:
    answer = browser_of(owner).post(PAGE, INVITE | form)
    assert answer.status_code == 400
    assert problem in answer.content.decode()
    assert (INVITE | form)["email"] in answer.content.decode()
    assert not MemberInvitation.objects.exists()


def test_a_pending_invitation_prevents_a_second_one(
    owner: User, invitation: MemberInvitation, browser_of: BrowserOf
) -> None:
    answer = browser_of(owner).post(PAGE, INVITE)
    assert (
        "This person is already invited. Resend the invitation, or revoke it first" in answer.content.decode()
    )
    assert MemberInvitation.objects.count() == 1


def test_a_new_user_chooses_name_and_password_and_is_signed_in(invitation: MemberInvitation) -> None:
    client = Client()
    page = client.get(invitation.path).content.decode()
    assert "Join Blue Fleet" in page
    assert "nia@home.example" in page
    answer = client.post(invitation.path, NEW)
    assert answer.headers["Location"] == "/fleets/blue/"
    assert client.get("/fleets/blue/").status_code == 200
    user = User.objects.get(email="nia@home.example")
    assert (str(user), user.memberships.get().role) == ("Nia Berg", Role.MANAGER)
    assert is_signed_in(sign_in(user))


def test_a_weak_password_creates_no_account_and_preserves_the_name(invitation: MemberInvitation) -> None:
    answer = Client().post(invitation.path, NEW | {"password": "12345678"})
    assert answer.status_code == 400
    assert 'value="Nia"' in answer.content.decode()
    assert not User.objects.filter(email="nia@home.example").exists()
    assert MemberInvitation.objects.get().open


def test_an_invitation_works_once(invitation: MemberInvitation) -> None:
    Client().post(invitation.path, NEW)
    again = Client().post(invitation.path, NEW | {"password": "stolen account"})
    assert again.status_code == 410
    assert "This invitation was already used" in again.content.decode()
    assert is_signed_in(sign_in(User.objects.get(email="nia@home.example")))


def test_an_invitation_expires_after_seven_days(invitation: MemberInvitation) -> None:
    MemberInvitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for answer in (Client().get(invitation.path), Client().post(invitation.path, NEW)):
        assert answer.status_code == 410
        assert "This invitation has expired" in answer.content.decode()
    assert "nia@home.example" not in members()
    assert timedelta(days=6) < invitation.expires_at - timezone.now() <= timedelta(days=7)


def test_a_revoked_invitation_is_rejected(
    owner: User, invitation: MemberInvitation, browser_of: BrowserOf
) -> None:
    browser_of(owner).post(f"{PAGE}invitations/{invitation.pk}/revoke/")
    answer = Client().post(invitation.path, NEW)
    assert answer.status_code == 410
    assert "This invitation was revoked" in answer.content.decode()
    assert AuditLogEntry.objects.filter(event=AuditEvent.MEMBER_INVITATION_REVOKED).exists()


def test_resending_creates_a_new_link_and_disables_the_previous_one(
    owner: User, invitation: MemberInvitation, browser_of: BrowserOf
) -> None:
    MemberInvitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    previous_path = invitation.path
    page = browser_of(owner).post(f"{PAGE}invitations/{invitation.pk}/resend/", follow=True).content.decode()
    resent = MemberInvitation.objects.get()
    assert resent.path != previous_path
    assert resent.url in page
    assert Client().get(previous_path).status_code == 404
    assert Client().get(resent.path).status_code == 200


def test_existing_users_sign_in_and_accept(invitation: MemberInvitation) -> None:
    user = User.objects.create_user("nia@home.example", PASSWORD)
    client = Client()
    page = client.get(invitation.path).content.decode()
    assert f"/accounts/sign-in/?next={invitation.path}" in page
    # The form for new users doesn't set the password of an existing account.
    client.post(invitation.path, NEW | {"password": "stolen account"})
    assert "nia@home.example" not in members()
    sign_in(user, client=client)
    assert "Accept invitation" in client.get(invitation.path).content.decode()
    assert "nia@home.example" not in members()
    assert client.post(invitation.path).headers["Location"] == "/fleets/blue/"
    assert "nia@home.example" in members()


@pytest.mark.parametrize("role", ["owner", "teammate", "viewer", "driver", "outsider"])
def test_other_users_cannot_accept_the_invitation(
    request: pytest.FixtureRequest, invitation: MemberInvitation, role: str, browser_of: BrowserOf
) -> None:
    other = request.getfixturevalue(role)
    before = members()
    browser = browser_of(other)
    for answer in (browser.get(invitation.path), browser.post(invitation.path, NEW)):
        assert answer.status_code == 403
        assert f"re signed in as {other.email}" in answer.content.decode()
    assert members() == before
    assert MemberInvitation.objects.get().open


def test_accepting_does_not_change_the_role_of_an_existing_member(
    invitation: MemberInvitation, owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    user = make_user("nia@home.example")
    Membership.objects.create(fleet=fleet, user=user, role=Role.OWNER)
    browser_of(user).post(invitation.path)
    assert Membership.objects.get(user=user).role == Role.OWNER
    assert MemberInvitation.objects.get().used_at is not None


def test_an_unknown_link_is_not_found() -> None:
    assert Client().get(f"/accounts/invitation/{'0' * 64}/").status_code == 404


def test_another_fleets_invitations_are_not_found(
    invitation: MemberInvitation, outsider: User, browser_of: BrowserOf
) -> None:
    for action in ("resend", "revoke"):
        address = f"/fleets/red/members/invitations/{invitation.pk}/{action}/"
        assert browser_of(outsider).post(address).status_code == 404
    assert MemberInvitation.objects.get().open
