"""Taking deliveries in: what is stored, what is refused, what is answered."""

import json

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tests.webhooks.helpers import ADDRESS, PAYLOADS, post, state_of
from webhooks import receiver
from webhooks.models import EntryState, InboxEntry
from webhooks.signature import fingerprint, sign

pytestmark = pytest.mark.django_db
BODY = state_of("car", locked=True, at=1_760_000_000_000)


def test_a_signed_delivery_is_stored_byte_for_byte_before_the_200() -> None:
    assert post(BODY).status_code == 200
    entry = InboxEntry.objects.get()
    assert (bytes(entry.body), entry.state) == (BODY, EntryState.WAITING)


def test_the_worker_is_rung_once_the_row_is_in(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        post(BODY)
    assert len(callbacks) == 1


@pytest.mark.parametrize("signed", ["", "0" * 64, "nonsense", "ü"])
def test_an_unsigned_or_badly_signed_delivery_is_refused_and_not_stored(signed: str) -> None:
    answer = post(BODY, signed=signed.encode("ascii", "replace").decode())
    assert answer.status_code == 401
    assert not InboxEntry.objects.exists()


def test_one_changed_byte_breaks_the_signature() -> None:
    signed = sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=BODY)
    assert post(BODY + b" ", signed=signed).status_code == 401


def test_any_of_several_management_tokens_is_taken_and_recorded(settings: Settings) -> None:
    settings.SMARTCAR_MANAGEMENT_TOKENS = ["new", "old"]
    assert post(BODY, signed=sign(token="old", message=BODY)).status_code == 200
    assert InboxEntry.objects.get().signed_with == fingerprint("old")


def test_signed_garbage_is_stored_for_a_person_to_see() -> None:
    assert post(b"\x00 not json").status_code == 200
    assert InboxEntry.objects.count() == 1


def test_a_body_over_the_limit_is_refused() -> None:
    assert post(b"x" * (receiver.BODY_LIMIT + 1)).status_code == 413
    assert not InboxEntry.objects.exists()


def test_a_get_is_answered_405() -> None:
    assert Client().get(ADDRESS).status_code == 405


@pytest.mark.parametrize(
    "name",
    [
        "documentation/verify-4.0.json",
        "documentation/verify-2.0.json",
        "documentation/callback-verification-4.0.json",
        "documentation/callback-verification-2.0.json",
        "variants/verify-4.0-iso-time.json",
    ],
)
def test_verify_is_answered_as_documented_without_a_signature(name: str) -> None:
    body = (PAYLOADS / name).read_bytes()
    content = json.loads(body)
    challenge = content["data"]["challenge"] if "data" in content else content["payload"]["challenge"]
    answer = post(body, signed="")
    assert answer.status_code == 200
    assert answer.json() == {
        "challenge": sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=challenge.encode())
    }
    assert not InboxEntry.objects.exists()


def test_the_endpoint_does_not_sign_a_payload_sent_as_a_challenge() -> None:
    verify = {"eventId": "e", "eventType": "VERIFY", "data": {"challenge": BODY.decode()}}
    answer = post(json.dumps(verify).encode(), signed="")
    assert answer.status_code == 400
    assert sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=BODY) not in answer.content.decode()


def test_without_the_database_smartcar_is_asked_to_send_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(receiver, "_store", broken)
    assert post(BODY).status_code == 503


def test_a_silent_broker_does_not_refuse_a_delivery(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    from celery import current_app

    def silent(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(current_app, "send_task", silent)
    with django_capture_on_commit_callbacks(execute=True):
        assert post(BODY).status_code == 200
    assert InboxEntry.objects.count() == 1
