"""Smartcar's first VERIFY of our address is remembered for each application, on both roads, and only once."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError

from connect.applications import setup_events
from connect.applications.setup_events import SetupEvent, SetupStep
from connect.models import SmartcarApplication
from tests.webhooks.helpers import PAYLOADS
from tests.webhooks.test_receiver import BODY, Road, by_asgi, by_view
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
def test_an_answered_verify_is_noted_with_its_first_time(request_by: Any) -> None:
    road = Road("", request_by)
    assert road.post(VERIFY, signed="").status_code == 200
    noted = SetupEvent.objects.get()
    assert (noted.application, noted.milestone) == (None, SetupStep.VERIFIED)
    verifications.reset()
    assert road.post(VERIFY, signed="").status_code == 200
    assert SetupEvent.objects.get() == noted


def test_a_delivery_and_a_refused_challenge_note_nothing() -> None:
    road = Road("", by_view)
    road.post(BODY)
    road.post(BODY, signed="")
    road.post(b'{"eventId":"e","eventType":"VERIFY","data":{"challenge":"not a plain word"}}', signed="")
    assert not SetupEvent.objects.exists()


def test_it_is_noted_for_the_application_whose_webhook_asks() -> None:
    row = SmartcarApplication.objects.create(name="Second", application_id="second")
    known = (
        keys.SigningKey(token="first", webhook_id="one"),
        keys.SigningKey(token="second", application_id=row.pk, webhook_id="two"),
    )
    verify = b'{"eventId":"e","eventType":"VERIFY","data":{"challenge":"abc"},"meta":{"webhookId":"two"}}'
    assert isinstance(receiver.verify_request(raw=verify, signed="", known=known), receiver.WebhookResponse)
    receiver.flush_counters()
    assert SetupEvent.objects.get().application == row


def test_many_verifies_write_once(django_assert_num_queries: Any) -> None:
    seen = VerificationTracker()
    seen.note(None)
    seen.write()
    for _ in range(100):
        seen.note(None)
    assert not seen.due()
    with django_assert_num_queries(0):
        seen.write()


def test_while_the_database_is_away_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = VerificationTracker()
    seen.note(None)
    with monkeypatch.context() as away:
        away.setattr("webhooks.verifications.record", _fail)
        seen.write()
    assert not SetupEvent.objects.exists()
    assert seen.due()
    seen.write()
    assert SetupEvent.objects.exists()


def _fail(**named: object) -> None:
    raise DatabaseError


def test_an_application_that_is_gone_stops_nothing() -> None:
    seen = VerificationTracker()
    seen.note(123_456)
    seen.write()
    assert not seen.due()


def test_a_milestone_is_reached_once_for_each_application() -> None:
    row = SmartcarApplication.objects.create(name="Second", application_id="second")
    for application_pk in (None, None, row.pk, row.pk):
        setup_events.record(application_pk=application_pk, milestone=SetupStep.CREDENTIALS)
    assert SetupEvent.objects.count() == 2
