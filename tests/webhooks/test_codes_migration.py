"""Notes and key names that version 0.1 wrote become codes, a foreign key and a fingerprint."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from connect.models import SmartcarApplication
from webhooks.messages import DeliveryNote
from webhooks.models import InboxEntry

migration = import_module("webhooks.migrations.0009_carry_codes_over")

pytestmark = pytest.mark.django_db


def written_by_0_1(*, note: str = "", signed_with: str = "") -> int:
    """Inserts a row as version 0.1 wrote it, without codes and the foreign key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO webhooks_inboxentry (source, received_at, body, signed_with, smartcar_vehicle_id, event_id, "
            "event_type, state, note, attempts, traceback) "
            "VALUES ('webhook', %s, '', %s, '', '', '', 'dead', %s, 0, '') RETURNING id",
            [timezone.now(), signed_with, note],
        )
        return int(cursor.fetchone()[0])


def migrate(key: int) -> InboxEntry:
    with connection.schema_editor() as editor:
        migration.carry_over(apps, editor)
    return InboxEntry.objects.get(pk=key)


@pytest.mark.parametrize(("note", "code"), migration.NOTES.items())
def test_note_becomes_its_code(note: str, code: str) -> None:
    entry = migrate(written_by_0_1(note=note))
    assert (entry.note_code, entry.note_params) == (code, {})
    assert code in DeliveryNote.values


def test_note_with_a_number_becomes_a_code_with_a_parameter() -> None:
    entry = migrate(written_by_0_1(note="It failed 5 times."))
    assert (entry.note_code, entry.note_params) == (DeliveryNote.FAILED, {"times": 5})
    assert entry.note == "Processing failed 5 times."


def test_unknown_note_retains_its_text() -> None:
    entry = migrate(written_by_0_1(note="Something else"))
    assert entry.note == "Something else"


def test_key_of_the_settings_retains_its_fingerprint() -> None:
    entry = migrate(written_by_0_1(signed_with="0a1b2c3d"))
    assert (entry.application, entry.key_fingerprint) == (None, "0a1b2c3d")


def test_key_of_an_application_becomes_a_foreign_key() -> None:
    row = SmartcarApplication.objects.create(name="Second", application_id="second")
    entry = migrate(written_by_0_1(signed_with=f"0a1b2c3d of application {row.pk}"))
    assert (entry.application, entry.key_fingerprint) == (row, "0a1b2c3d")


def test_row_written_by_version_0_1_is_attributed_to_its_application() -> None:
    from webhooks import keys

    row = SmartcarApplication.objects.create(name="Second", application_id="second")
    key = written_by_0_1(signed_with=f"0a1b2c3d of application {row.pk}")
    default_key = written_by_0_1(signed_with="0a1b2c3d")
    assert keys.get_application_id(InboxEntry.objects.get(pk=key)) == row.pk
    assert [entry.pk for entry in keys.signed_by(InboxEntry.objects.all(), application=row.pk)] == [key]
    assert [entry.pk for entry in keys.signed_by(InboxEntry.objects.all(), application=None)] == [default_key]
