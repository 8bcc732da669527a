"""The webhook log in German and French: no text on its pages remains in English, and stored data is unchanged."""

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
# Names of the tests' vehicles and users, and transmitted values.
DATA = {"Van 1", "Blue Fleet", "owner@fleet.example", "admin@site.example", "VEHICLE_STATE", "VEHICLE_ERROR"}


@pytest.fixture
def member(connection: Connection, owner: User, browser_of: BrowserOf) -> Client:
    """A manager's client, for a fleet whose vehicle has been connected for an hour."""
    Connection.objects.update(created_at=timezone.now() - timedelta(hours=1))
    return browser_of(owner)


@pytest.fixture
def admin(connection: Connection, browser_of: BrowserOf) -> Client:
    return browser_of(User.objects.create_superuser("admin@site.example"))


def create_delivery(**fields: Any) -> InboxEntry:
    vehicle_id = Connection.objects.get().vehicle.smartcar_id
    about = {"received_at": timezone.now(), "body": b"{}", "event_type": "VEHICLE_STATE"}
    return InboxEntry.objects.create(smartcar_vehicle_id=vehicle_id, **(about | fields))


def untranslated_on(client: Client, path: str, language: str) -> set[str]:
    vehicle_id = Connection.objects.get().vehicle.smartcar_id
    return (
        untranslated_texts(read(client, path, language), read(client, path), language) - DATA - {vehicle_id}
    )


@translated
@pytest.mark.parametrize("query", ["", "?state=dead", "?state=quarantined", "?period=hour", "?before=1"])
def test_empty_webhook_log(member: Client, admin: Client, language: str, query: str) -> None:
    assert untranslated_on(member, PAGE + query, language) == set()
    assert untranslated_on(admin, SITE + query, language) == set()


@translated
def test_list_and_each_delivery(member: Client, admin: Client, language: str) -> None:
    entries = [
        create_delivery(state=state, source=source, attempts=2 if state == EntryState.WAITING else 0)
        for state in EntryState
        for source in Source
    ]
    entries += [
        create_delivery(body=b"", event_type="VEHICLE_ERROR"),
        create_delivery(body=b"no JSON", event_type=""),
    ]
    processed_at = timezone.now() + timedelta(seconds=3)
    InboxEntry.objects.filter(state=EntryState.PROCESSED).update(processed_at=processed_at)
    InboxEntry.objects.filter(state=EntryState.WAITING).update(next_try_at=processed_at)
    for reason in RejectionReason:
        RejectedDeliveryCount.objects.create(day=timezone.now().date(), reason=reason, count=3)
    for client, page in ((member, PAGE), (admin, SITE)):
        assert untranslated_on(client, page, language) == set()
        for entry in entries:
            assert untranslated_on(client, f"{page}{entry.pk}/", language) == set(), entry.state


@translated
def test_reasons_for_quarantined_and_undeliverable_deliveries(member: Client, language: str) -> None:
    at = int(timezone.now().timestamp() * 1000)
    assert post(state_of("unknown", locked=True, at=at)).status_code == 200
    for body in (b"no JSON", b"[]", b"{}", b'{"eventType": ""}', b'{"eventType": "VEHICLE_STATE"}'):
        create_delivery(body=body)
    processing.process_waiting()
    codes = set(InboxEntry.objects.exclude(note_code="").values_list("note_code", flat=True))
    assert {DeliveryNote.UNKNOWN_VEHICLE, DeliveryNote.NOT_JSON, DeliveryNote.NOT_AN_OBJECT} <= codes
    assert untranslated_on(member, PAGE, language) == set()


@translated
def test_results_of_reprocessing(member: Client, language: str) -> None:
    for fields in ({"state": EntryState.DEAD}, {"body": b"", "state": EntryState.DEAD}, {}):
        messages = []
        for each in (language, "en"):
            entry = create_delivery(**fields)
            answer = member.post(
                f"{PAGE}{entry.pk}/reprocess/", headers={"accept-language": ACCEPT_LANGUAGE[each]}
            )
            messages.append({str(message) for message in get_messages(answer.wsgi_request)})
            member.get(PAGE)
        assert messages[0] and messages[0].isdisjoint(messages[1])


@translated
def test_members_without_access_get_a_translated_explanation(
    viewer: User, browser_of: BrowserOf, language: str
) -> None:
    client = browser_of(viewer)
    for path in (PAGE, SITE):
        page = client.get(path, headers={"accept-language": ACCEPT_LANGUAGE[language]}).content.decode()
        english = client.get(path, headers={"accept-language": ACCEPT_LANGUAGE["en"]}).content.decode()
        assert untranslated_texts(page, english, language) - {"viewer@fleet.example"} == set()


def test_numbers_are_formatted_for_the_language(member: Client, admin: Client) -> None:
    RejectedDeliveryCount.objects.create(
        day=timezone.now().date(), reason=RejectionReason.UNSIGNED, count=1200
    )
    assert "1.200" in read(admin, SITE, "de")
    assert "1,200" in read(admin, SITE, "en")
    with override("de"):
        assert "2,5 s" in read(member, f"{PAGE}{_create_slow_delivery().pk}/", "de")


def _create_slow_delivery() -> InboxEntry:
    entry = create_delivery(state=EntryState.PROCESSED)
    InboxEntry.objects.update(processed_at=entry.received_at + timedelta(seconds=2.5))
    return entry


def test_api_answers_in_english_for_every_accept_language(member: Client) -> None:
    entry = create_delivery(
        state=EntryState.DEAD, note_code=DeliveryNote.FAILED, note_params={"times": 5}, body=b"no JSON"
    )
    answer = member.get(
        f"/api/v1/deliveries/{entry.pk}/", headers={"accept-language": ACCEPT_LANGUAGE["de"]}
    ).json()
    assert (answer["note"], answer["note_code"]) == ("Processing failed 5 times.", "delivery.failed")
    assert answer["body_missing"].startswith("The body isn't JSON (7 bytes).")


@translated
def test_every_note_is_translated(language: str) -> None:
    english = {note: str(note.label) for note in DeliveryNote}
    with override(language):
        assert [note for note in DeliveryNote if str(note.label) == english[note]] == []
