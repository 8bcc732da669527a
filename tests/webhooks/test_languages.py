"""The inbox in German and French: nothing on its pages is left in English, and what is kept stays so."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from connect.models import Connection
from tests.languages import ACCEPT_LANGUAGE, read, untranslated_texts
from tests.webhooks.helpers import post, state_of
from webhooks import processing
from webhooks.messages import DeliveryNote
from webhooks.models import EntryState, InboxEntry, RejectedDeliveryCount, Source
from webhooks.rejections import RejectionReason

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
translated = pytest.mark.parametrize("language", ["de", "fr"])
PAGE = "/fleets/blue/webhook-log/"
SITE = "/webhooks/log/"
# Of these tests' own cars and people, and what came on the wire.
DATA = {"Van 1", "Blue Fleet", "owner@fleet.example", "admin@site.example", "VEHICLE_STATE", "VEHICLE_ERROR"}


@pytest.fixture
def member(connection: Connection, owner: User, browser_of: BrowserOf) -> Client:
    """Who manages a fleet whose car has been connected for an hour."""
    Connection.objects.update(created_at=timezone.now() - timedelta(hours=1))
    return browser_of(owner)


@pytest.fixture
def admin(connection: Connection, browser_of: BrowserOf) -> Client:
    return browser_of(User.objects.create_superuser("admin@site.example"))


def message(**fields: Any) -> InboxEntry:
    car = Connection.objects.get().vehicle.smartcar_id
    about = {"received_at": timezone.now(), "body": b"{}", "event_type": "VEHICLE_STATE"}
    return InboxEntry.objects.create(smartcar_vehicle_id=car, **(about | fields))


def english_on(client: Client, path: str, language: str) -> set[str]:
    car = Connection.objects.get().vehicle.smartcar_id
    return untranslated_texts(read(client, path, language), read(client, path), language) - DATA - {car}


@translated
@pytest.mark.parametrize("question", ["", "?state=dead", "?state=quarantined", "?period=hour", "?before=1"])
def test_an_empty_inbox(member: Client, admin: Client, language: str, question: str) -> None:
    assert english_on(member, PAGE + question, language) == set()
    assert english_on(admin, SITE + question, language) == set()


@translated
def test_the_list_and_each_message(member: Client, admin: Client, language: str) -> None:
    entries = [
        message(state=state, source=source, attempts=2 if state == EntryState.WAITING else 0)
        for state in EntryState
        for source in Source
    ]
    entries += [message(body=b"", event_type="VEHICLE_ERROR"), message(body=b"no JSON", event_type="")]
    processed_at = timezone.now() + timedelta(seconds=3)
    InboxEntry.objects.filter(state=EntryState.PROCESSED).update(processed_at=processed_at)
    InboxEntry.objects.filter(state=EntryState.WAITING).update(next_try_at=processed_at)
    for reason in RejectionReason:
        RejectedDeliveryCount.objects.create(day=timezone.now().date(), reason=reason, count=3)
    for client, page in ((member, PAGE), (admin, SITE)):
        assert english_on(client, page, language) == set()
        for entry in entries:
            assert english_on(client, f"{page}{entry.pk}/", language) == set(), entry.state


@translated
def test_why_a_message_was_set_aside(member: Client, language: str) -> None:
    at = int(timezone.now().timestamp() * 1000)
    assert post(state_of("unknown", locked=True, at=at)).status_code == 200
    for body in (b"no JSON", b"[]", b"{}", b'{"eventType": ""}', b'{"eventType": "VEHICLE_STATE"}'):
        message(body=body)
    processing.process_waiting()
    codes = set(InboxEntry.objects.exclude(note_code="").values_list("note_code", flat=True))
    assert {DeliveryNote.UNKNOWN_VEHICLE, DeliveryNote.NOT_JSON, DeliveryNote.NOT_AN_OBJECT} <= codes
    assert english_on(member, PAGE, language) == set()


@translated
def test_what_processing_again_came_to(member: Client, language: str) -> None:
    for fields in ({"state": EntryState.DEAD}, {"body": b"", "state": EntryState.DEAD}, {}):
        said = []
        for each in (language, "en"):
            entry = message(**fields)
            answer = member.post(
                f"{PAGE}{entry.pk}/reprocess/", headers={"accept-language": ACCEPT_LANGUAGE[each]}
            )
            said.append({str(told) for told in get_messages(answer.wsgi_request)})
            member.get(PAGE)
        assert said[0] and said[0].isdisjoint(said[1])


@translated
def test_who_may_not_see_it_is_told_why(viewer: User, browser_of: BrowserOf, language: str) -> None:
    client = browser_of(viewer)
    for path in (PAGE, SITE):
        words = client.get(path, headers={"accept-language": ACCEPT_LANGUAGE[language]}).content.decode()
        english = client.get(path, headers={"accept-language": ACCEPT_LANGUAGE["en"]}).content.decode()
        assert untranslated_texts(words, english, language) - {"viewer@fleet.example"} == set()


def test_numbers_are_written_as_the_language_does(member: Client, admin: Client) -> None:
    RejectedDeliveryCount.objects.create(
        day=timezone.now().date(), reason=RejectionReason.UNSIGNED, count=1200
    )
    assert "1.200" in read(admin, SITE, "de")
    assert "1,200" in read(admin, SITE, "en")
    with override("de"):
        assert "2,5 s" in read(member, f"{PAGE}{_slow().pk}/", "de")


def _slow() -> InboxEntry:
    entry = message(state=EntryState.PROCESSED)
    InboxEntry.objects.update(processed_at=entry.received_at + timedelta(seconds=2.5))
    return entry


def test_the_api_answers_in_english_whatever_is_asked_for(member: Client) -> None:
    entry = message(
        state=EntryState.DEAD, note_code=DeliveryNote.FAILED, note_params={"times": 5}, body=b"no JSON"
    )
    answer = member.get(
        f"/api/v1/deliveries/{entry.pk}/", headers={"accept-language": ACCEPT_LANGUAGE["de"]}
    ).json()
    assert (answer["note"], answer["note_code"]) == ("Processing failed 5 times.", "delivery.failed")
    assert answer["body_missing"].startswith("The body isn't JSON (7 bytes).")


@translated
def test_every_note_is_worded_in_every_language(language: str) -> None:
    english = {note: str(note.label) for note in DeliveryNote}
    with override(language):
        assert [note for note in DeliveryNote if str(note.label) == english[note]] == []
