"""Authenticator app and recovery codes: setup, sign-in, secure storage."""

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.mail.models import OutgoingEmail
from tests.accounts.conftest import add_authenticator_app, age_session, is_signed_in, sign_in, totp_code

pytestmark = pytest.mark.django_db
SECOND = "/accounts/sign-in/second-factor/"
APP = "/accounts/two-factor/app/"
CODES = "/accounts/two-factor/codes/"


def recovery_codes(client: Client) -> list[str]:
    codes: list[str] = client.get(CODES).context["unused_codes"]
    return codes


def test_a_code_is_required_after_the_password(person: User) -> None:
    secret = add_authenticator_app(sign_in(person))
    client = sign_in(person)
    assert not is_signed_in(client)
    assert (
        "Enter a code from your authenticator app, or a recovery code" in client.get(SECOND).content.decode()
    )
    wrong = client.post(SECOND, {"code": "000000"}).content.decode()
    assert "Incorrect or expired code. Try again" in wrong
    assert not is_signed_in(client)
    client.post(SECOND, {"code": totp_code(secret, later=1)})
    assert is_signed_in(client)


def test_a_code_works_once(person: User) -> None:
    secret = add_authenticator_app(sign_in(person))
    code = totp_code(secret, later=1)
    for expected in (True, False):
        client = sign_in(person)
        client.post(SECOND, {"code": code})
        assert is_signed_in(client) is expected


def test_the_password_alone_opens_no_page(person: User) -> None:
    add_authenticator_app(sign_in(person))
    client = sign_in(person)
    assert client.get("/fleets/blue/").status_code == 302
    assert client.get("/accounts/").status_code == 302
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith(SECOND)


def test_five_wrong_codes_block_the_second_step_temporarily(person: User) -> None:
    secret = add_authenticator_app(sign_in(person))
    client = sign_in(person)
    for _ in range(5):
        client.post(SECOND, {"code": "000000"})
    answer = client.post(SECOND, {"code": totp_code(secret, later=1)})
    assert "Too many failed attempts" in answer.content.decode()
    assert not is_signed_in(client)


def test_each_recovery_code_works_once(person: User) -> None:
    client = sign_in(person)
    add_authenticator_app(client)
    codes = recovery_codes(client)
    assert len(codes) == 10
    for expected in (True, False):
        lost_phone = sign_in(person)
        lost_phone.post(SECOND, {"code": codes[0]})
        assert is_signed_in(lost_phone) is expected
    assert "9 left" in client.get("/accounts/").content.decode()


def test_new_recovery_codes_replace_the_previous_ones(person: User) -> None:
    client = sign_in(person)
    add_authenticator_app(client)
    before = recovery_codes(client)
    client.post(f"{CODES}new/")
    after = recovery_codes(client)
    assert not set(before) & set(after)
    stolen = sign_in(person)
    stolen.post(SECOND, {"code": before[0]})
    assert not is_signed_in(stolen)


def test_without_the_app_the_password_is_enough_again(person: User) -> None:
    client = sign_in(person)
    add_authenticator_app(client)
    assert client.post(f"{APP}remove/").status_code == 302
    assert not Authenticator.objects.exists()
    assert is_signed_in(sign_in(person))


@pytest.mark.parametrize(
    "address", [APP, CODES, f"{CODES}new/", f"{CODES}file/", f"{APP}remove/", "/accounts/passkeys/add/"]
)
def test_ten_minutes_after_the_sign_in_confirmation_is_required(person: User, address: str) -> None:
    client = sign_in(person)
    if address != APP:
        add_authenticator_app(client)
    age_session(client)
    answer = client.get(address)
    assert answer.headers["Location"].startswith("/accounts/confirm/?next=")
    answer = client.post(answer.headers["Location"], {"password": "wrong"})
    assert answer.status_code == 200
    assert client.get(address).status_code == 302
    client.post(f"/accounts/confirm/?next={address}", {"password": "a long enough passphrase"})
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "address", [APP, CODES, "/accounts/", "/accounts/passkeys/add/", "/accounts/password/"]
)
def test_anonymous_users_are_redirected_to_sign_in(address: str) -> None:
    assert Client().get(address).headers["Location"].startswith("/accounts/sign-in/")


def test_secrets_are_stored_encrypted_and_not_shown_in_the_admin(person: User) -> None:
    client = sign_in(person)
    secret = add_authenticator_app(client)
    codes = recovery_codes(client)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert not any(code in stored for code in codes)
    User.objects.update(is_staff=True, is_superuser=True)
    for factor in Authenticator.objects.all():
        page = client.get(f"/admin/mfa/authenticator/{factor.pk}/change/").content.decode()
        assert "Authenticator" in page
        assert not any(value in page for value in factor.data.values() if isinstance(value, str))


def test_a_superuser_removes_a_lost_second_factor(person: User, viewer: User) -> None:
    add_authenticator_app(sign_in(person))
    User.objects.filter(pk=viewer.pk).update(is_staff=True, is_superuser=True)
    admin = Client()
    admin.force_login(viewer)
    for factor in Authenticator.objects.all():
        admin.post(f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"})
    assert is_signed_in(sign_in(person))


def test_second_factors_survive_a_key_rotation(person: User, settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    client = sign_in(person)
    secret = add_authenticator_app(client)
    codes = recovery_codes(client)
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    call_command("rotate_encryption_keys")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert recovery_codes(client) == codes
    again = sign_in(person)
    again.post(SECOND, {"code": totp_code(secret, later=1)})
    assert is_signed_in(again)


@pytest.mark.usefixtures("mails")
def test_the_user_gets_an_email_when_a_factor_is_added_or_removed(
    person: User, django_capture_on_commit_callbacks: object
) -> None:
    client = sign_in(person)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        add_authenticator_app(client)
        client.post(f"{APP}remove/")
    assert set(OutgoingEmail.objects.values_list("kind", flat=True)) == {
        "accounts.totp_activated",
        "accounts.totp_deactivated",
    }
