"""Resetting, changing and setting passwords; changing the email address."""

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from core.mail.models import OutgoingEmail
from tests.accounts.conftest import PASSWORD, age_session, is_signed_in, sign_in
from tests.outgoing import send_pending

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mails")]
FORGOTTEN = "/accounts/password/forgotten/"
NEW = "another good passphrase"


def link_in(text: str, settings: object) -> str:
    (link,) = re.findall(rf"{settings.SITE_URL}(/\S+)", text)  # type: ignore[attr-defined]
    return str(link)


def request_link(email: str, settings: object) -> str:
    Client().post(FORGOTTEN, {"email": email})
    (text,) = send_pending()
    return link_in(text, settings)


def test_an_emailed_link_sets_a_new_password_once(person: User, settings: object) -> None:
    elsewhere = sign_in(person)
    link = request_link(person.email, settings)
    client = Client()
    form = client.get(link, follow=True)
    # The secret is removed from the address before the page is shown.
    assert link not in form.redirect_chain[-1][0]
    done = client.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW}, follow=True)
    assert "Password changed" in done.content.decode()
    assert not is_signed_in(client)
    assert elsewhere.get("/accounts/").status_code == 302
    assert not is_signed_in(sign_in(person))
    assert is_signed_in(sign_in(person, password=NEW))
    assert "This link is no longer valid" in Client().get(link, follow=True).content.decode()


def test_known_and_unknown_addresses_get_the_same_response(person: User) -> None:
    known, unknown = (
        Client().post(FORGOTTEN, {"email": email}, follow=True)
        for email in (person.email, "nobody@fleet.example")
    )
    assert known.redirect_chain == unknown.redirect_chain
    assert "If the address belongs to an account" in known.content.decode()
    assert [email.recipient for email in OutgoingEmail.objects.all()] == [person.email]


def test_the_request_sends_no_email_and_the_broker_gets_no_secret(
    person: User, run_enqueued: Callable[[], list[str]], django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        Client().post(FORGOTTEN, {"email": person.email})
    assert mail.outbox == []
    assert "link" not in str(OutgoingEmail.objects.values().get())
    assert run_enqueued() == ["core.tasks.send_email"]
    (sent,) = mail.outbox
    assert sent.to == [person.email]
    assert send_pending() == []


def test_an_account_email_is_in_the_user_s_language(person: User) -> None:
    person.language = "de"
    person.save()
    Client().post(FORGOTTEN, {"email": person.email})
    assert OutgoingEmail.objects.get().language == "de"


def test_a_weak_new_password_is_rejected(person: User, settings: object) -> None:
    client = Client()
    address = client.get(request_link(person.email, settings), follow=True).redirect_chain[-1][0]
    page = client.post(address, {"password1": "12345678", "password2": "12345678"}).content.decode()
    assert "entirely numeric" in page
    assert is_signed_in(sign_in(person))


def test_a_forged_link_is_rejected(person: User) -> None:
    page = Client().get("/accounts/password/new/1-abc123-0123456789abcdef/", follow=True).content.decode()
    assert "This link is no longer valid" in page


def test_a_site_without_email_explains_that(person: User, settings: object) -> None:
    settings.EMAIL_ENABLED = False  # type: ignore[attr-defined]
    assert "This site doesn't send email" in Client().get(FORGOTTEN).content.decode()
    assert "This site doesn't send email" in sign_in(person).get("/accounts/e-mail/").content.decode()
    Client().post(FORGOTTEN, {"email": person.email})
    assert not OutgoingEmail.objects.exists()


def test_a_changed_password_ends_the_other_sessions(person: User) -> None:
    here, elsewhere = sign_in(person), sign_in(person)
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post("/accounts/password/", form).headers["Location"] == "/accounts/"
    assert here.get("/accounts/").status_code == 200
    assert elsewhere.get("/accounts/").status_code == 302
    (text,) = send_pending()
    assert "Your password was changed" in text


def test_changing_the_password_requires_the_current_one(person: User) -> None:
    form = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    page = sign_in(person).post("/accounts/password/", form).content.decode()
    assert "t your current password. Try again" in page
    assert is_signed_in(sign_in(person))


def test_setting_a_first_password_requires_a_recent_sign_in(
    owner: User, browser_of: Callable[[User], Client]
) -> None:
    client = browser_of(owner)
    age_session(client)
    assert client.get("/accounts/password/set/").status_code == 403
    client = browser_of(owner)
    assert client.get("/accounts/password/").headers["Location"] == "/accounts/password/set/"
    client.post("/accounts/password/set/", {"password1": NEW, "password2": NEW})
    assert is_signed_in(sign_in(owner, password=NEW))


def test_a_new_address_applies_once_confirmed(person: User, settings: object) -> None:
    client = sign_in(person)
    old = person.email
    client.post("/accounts/e-mail/", {"email": "New@Home.example", "action_add": ""})
    assert "new@home.example isn't confirmed yet" in client.get("/accounts/").content.decode()
    assert is_signed_in(sign_in(person))
    (text,) = send_pending()
    link = link_in(text, settings)
    client.get(link)
    person.refresh_from_db()
    assert person.email == old
    client.post(link)
    person.refresh_from_db()
    assert person.email == "new@home.example"
    assert [address.email for address in person.emailaddress_set.all()] == ["new@home.example"]
    assert is_signed_in(sign_in(person))
    assert not is_signed_in(sign_in(User(email=old)))
    (last_email,) = mail.outbox[-1:]
    send_pending()
    assert [sent.to for sent in mail.outbox[-1:]] == [[old]], last_email


def test_an_address_of_another_account_is_not_taken_over(
    person: User, viewer: User, settings: object
) -> None:
    client = sign_in(person)
    client.post("/accounts/e-mail/", {"email": viewer.email, "action_add": ""})
    (text,) = send_pending()
    client.post(link_in(text, settings))
    person.refresh_from_db()
    assert person.email == "owner@fleet.example"
    assert User.objects.get(pk=viewer.pk).email == viewer.email


def test_a_pending_address_can_be_discarded(person: User) -> None:
    client = sign_in(person)
    client.post("/accounts/e-mail/", {"email": "new@home.example", "action_add": ""})
    client.post("/accounts/e-mail/", {"email": "new@home.example", "action_remove": ""})
    person.refresh_from_db()
    assert person.email == "owner@fleet.example"
    assert send_pending() == []


def test_changing_the_address_requires_recent_confirmation(person: User) -> None:
    client = sign_in(person)
    age_session(client)
    answer = client.post("/accounts/e-mail/", {"email": "new@home.example", "action_add": ""})
    assert answer.headers["Location"].startswith("/accounts/confirm/")
    assert person.emailaddress_set.count() == 1
