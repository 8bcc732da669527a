"""Smartcar's first VERIFY of our URL is recorded once for each application, by both endpoints."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError

from connect.applications import setup_events
from connect.applications.setup_events import SetupEvent, SetupStep
from connect.models import SmartcarApplication
from tests.webhooks.helpers import PAYLOADS
from tests.webhooks.test_receiver import BODY, Endpoint, by_asgi, by_view
from webhooks import keys, receiver
from webhooks.verifications import VerificationTracker, verifications

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("run_enqueued")]
VERIFY = (PAYLOADS / "documentation/verify-4.0.json").read_bytes()


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    verifications.reset()
    yield
    verifications.reset()


@pytest.mark.parametrize("request_by", [by_asgi, by_view])
def test_answered_verify_is_recorded_with_its_first_time(request_by: Any) -> None:
    endpoint = Endpoint("", request_by)
    assert endpoint.post(VERIFY, signed="").status_code == 200
    event = SetupEvent.objects.get()
    assert (event.application, event.milestone) == (None, SetupStep.VERIFIED)
    verifications.reset()
    assert endpoint.post(VERIFY, signed="").status_code == 200
    assert SetupEvent.objects.get() == event


def test_delivery_and_rejected_challenge_record_nothing() -> None:
    endpoint = Endpoint("", by_view)
    endpoint.post(BODY)
    endpoint.post(BODY, signed="")
    endpoint.post(b'{"eventId":"e","eventType":"VERIFY","data":{"challenge":"not a plain word"}}', signed="")
    assert not SetupEvent.objects.exists()


def test_is_recorded_for_the_application_of_the_webhook() -> None:
    row = SmartcarApplication.objects.create(name="Second", application_id="second")
    known = (
        keys.SigningKey(token="first", webhook_id="one"),
        keys.SigningKey(token="second", application_id=row.pk, webhook_id="two"),
    )
    verify = b'{"eventId":"e","eventType":"VERIFY","data":{"challenge":"abc"},"meta":{"webhookId":"two"}}'
    assert isinstance(receiver.verify_request(raw=verify, signed="", known=known), receiver.WebhookResponse)
    receiver.flush_counters()
    assert SetupEvent.objects.get().application == row


def test_many_verifies_are_written_once(django_assert_num_queries: Any) -> None:
    tracker = VerificationTracker()
    tracker.note(None)
    tracker.write()
    for _ in range(100):
        tracker.note(None)
    assert not tracker.due()
    with django_assert_num_queries(0):
        tracker.write()


def test_is_retained_while_the_database_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = VerificationTracker()
    tracker.note(None)
    with monkeypatch.context() as away:
        away.setattr("webhooks.verifications.record", _fail)
        tracker.write()
    assert not SetupEvent.objects.exists()
    assert tracker.due()
    tracker.write()
    assert SetupEvent.objects.exists()


def _fail(**named: object) -> None:
    raise DatabaseError


def test_deleted_application_causes_no_error() -> None:
    tracker = VerificationTracker()
    tracker.note(123_456)
    tracker.write()
    assert not tracker.due()


def test_setup_step_is_recorded_once_for_each_application() -> None:
    row = SmartcarApplication.objects.create(name="Second", application_id="second")
    for application_pk in (None, None, row.pk, row.pk):
        setup_events.record(application_pk=application_pk, milestone=SetupStep.CREDENTIALS)
    assert SetupEvent.objects.count() == 2
