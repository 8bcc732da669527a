"""Five wrong attempts are five, however many arrive at once. Nobody is locked out by the attempts of others."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import attempts, known_devices
from accounts.attempts import Outcome
from accounts.models import ApiToken, AttemptCount, Fleet, User
from tests.accounts.conftest import (
    PASSWORD,
    add_authenticator_app,
    age_session,
    is_signed_in,
    sign_in,
    totp_code,
)

TOKENS = "/fleets/blue/api-tokens/"
TOKEN = {"name": "Reports", "days": "30"}
SECOND = "/accounts/sign-in/second-factor/"


def run_at_once(count: int, call: Callable[[int], None]) -> None:
    """Calls from this many threads at the same time, each with a database connection of its own."""
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=60)
            call(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_of_forty_attempts_at_once_five_are_judged() -> None:
    user = User.objects.create_user("someone@fleet.example")
    judged: list[int] = []
    outcomes: list[Outcome] = []

    def attempt(number: int) -> None:
        def check() -> bool:
            judged.append(number)
            return False

        outcomes.append(attempts.attempt(user=user, scope="x", check=check))

    run_at_once(40, attempt)
    assert len(judged) == attempts.MAX_ATTEMPTS
    assert outcomes.count(Outcome.WRONG) == 4
    assert outcomes.count(Outcome.EXHAUSTED) == 36


@pytest.mark.django_db(transaction=True)
def test_forty_sessions_have_five_passwords_together(person: User, fleet: Fleet) -> None:
    clients = []
    for _ in range(40):
        client = Client()
        client.force_login(person)
        age_session(client)
        clients.append(client)
    answers: list[int] = []
    run_at_once(
        40, lambda number: answers.append(clients[number].post(TOKENS, TOKEN | {"password": "x"}).status_code)
    )
    # The fifth and all later ones sign their session out.
    assert answers.count(400) == 4
    assert answers.count(302) == 36
    late = Client()
    late.force_login(person)
    age_session(late)
    assert late.post(TOKENS, TOKEN | {"password": PASSWORD}).status_code == 302
    assert not ApiToken.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_forty_passwords_at_once_five_are_judged_at_the_sign_in(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    original = User.check_password

    def counted(self: User, password: str) -> bool:
        judged.append(password)
        return original(self, password)

    monkeypatch.setattr(User, "check_password", counted)

    def attempt(number: int) -> None:
        sign_in(person, password=f"wrong {number}")

    run_at_once(40, attempt)
    assert len(judged) <= attempts.MAX_ATTEMPTS


@pytest.mark.django_db(transaction=True)
def test_forty_codes_at_once_are_five(person: User, fleet: Fleet) -> None:
    secret = add_authenticator_app(sign_in(person))
    clients = [sign_in(person) for _ in range(10)]
    answers: list[str] = []
    run_at_once(
        40,
        lambda number: answers.append(clients[number % 10].post(SECOND, {"code": "000000"}).content.decode()),
    )
    assert sum("Incorrect or expired code" in answer for answer in answers) <= 4
    client = sign_in(person)
    client.post(SECOND, {"code": totp_code(secret, later=1)})
    assert not is_signed_in(client)


@pytest.mark.django_db
def test_attempts_are_available_again_after_five_minutes(person: User) -> None:
    for _ in range(6):
        attempts.attempt(user=person, scope="x", check=lambda: False)
    assert attempts.attempt(user=person, scope="x", check=lambda: True) is Outcome.EXHAUSTED
    AttemptCount.objects.update(since=timezone.now() - attempts.WINDOW - timedelta(seconds=1))
    assert attempts.attempt(user=person, scope="x", check=lambda: True) is Outcome.RIGHT
    assert not AttemptCount.objects.exists()


@pytest.mark.django_db
def test_a_right_attempt_resets_the_count(person: User) -> None:
    for _ in range(3):
        for right in (False, False, False, True):
            outcome = attempts.attempt(user=person, scope="x", check=partial(bool, right))
            assert outcome is (Outcome.RIGHT if right else Outcome.WRONG)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/accounts/confirm/", "password"),
        ("/accounts/confirm/code/", "code"),
        ("/accounts/password/", "oldpassword"),
    ],
)
def test_all_pages_share_the_five_attempts(person: User, fleet: Fleet, address: str, field: str) -> None:
    client = sign_in(person)
    add_authenticator_app(client)
    age_session(client)
    form = {field: "000000", "password1": "another passphrase", "password2": "another passphrase"}
    for _ in range(4):
        assert client.post(address, form).status_code == 200
    assert client.post(TOKENS, TOKEN | {"password": "wrong"}).status_code == 302
    assert not is_signed_in(client)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "field"), [("/accounts/confirm/", "password"), ("/accounts/confirm/code/", "code")]
)
def test_the_fifth_failure_on_allauths_pages_signs_out(person: User, address: str, field: str) -> None:
    client = sign_in(person)
    add_authenticator_app(client)
    age_session(client)
    for _ in range(5):
        assert is_signed_in(client)
        client.post(address, {field: "000000"})
    assert not is_signed_in(client)


@pytest.mark.django_db
def test_wrong_passwords_elsewhere_do_not_lock_out_a_known_browser(person: User) -> None:
    known = sign_in(person)
    known.post("/accounts/sign-out/")
    for _ in range(6):
        sign_in(person, password="wrong")
    assert not is_signed_in(sign_in(person))
    assert is_signed_in(sign_in(person, client=known))


@pytest.mark.django_db
def test_a_known_browser_has_five_attempts_too(person: User) -> None:
    known = sign_in(person)
    known.post("/accounts/sign-out/")
    for _ in range(10):
        sign_in(person, password="wrong", client=known)
    assert not is_signed_in(sign_in(person, client=known))


@pytest.mark.django_db
def test_a_browser_is_known_only_for_the_user_who_signed_in(person: User, viewer: User) -> None:
    viewer.set_password(PASSWORD)
    viewer.save()
    theirs = sign_in(viewer)
    theirs.post("/accounts/sign-out/")
    for _ in range(6):
        sign_in(person, password="wrong")
    assert not is_signed_in(sign_in(person, client=theirs))


@pytest.mark.django_db
@pytest.mark.parametrize("cookie", ["", "x", "x:y:z", "WzEsImEiXQ:1:2"])
def test_a_forged_cookie_makes_no_browser_known(person: User, cookie: str) -> None:
    forger = Client()
    forger.cookies[known_devices.COOKIE] = cookie
    for _ in range(6):
        sign_in(person, password="wrong")
    assert not is_signed_in(sign_in(person, client=forger))


@pytest.mark.django_db
def test_a_browser_is_not_known_before_the_second_factor(person: User) -> None:
    add_authenticator_app(sign_in(person))
    half = sign_in(person)
    assert known_devices.COOKIE not in half.cookies


@pytest.mark.django_db
def test_wrong_codes_elsewhere_do_not_lock_out_a_known_browser(person: User) -> None:
    known = sign_in(person)
    secret = add_authenticator_app(known)
    known.post("/accounts/sign-out/")
    elsewhere = sign_in(person)
    for _ in range(6):
        elsewhere.post(SECOND, {"code": "000000"})
    sign_in(person, client=known)
    known.post(SECOND, {"code": totp_code(secret, later=1)})
    assert is_signed_in(known)
