"""Carries notes and key names of the version before (0.1) over to codes, by the texts which that version wrote."""

from django.db import migrations

NOTES = {
    "Its car has left the fleet: nothing of the message was kept.": "delivery.vehicle_offboarded",
    "A test delivery of Smartcar's dashboard.": "delivery.test",
    "About a car that is not connected here.": "delivery.unknown_vehicle",
    "An event type that we do not know.": "delivery.unknown_type",
    "Its place is hidden by the driver: the message was not kept, the rest of it was recorded.": (
        "delivery.location_hidden"
    ),
    "not JSON": "delivery.not_json",
    "not a JSON object": "delivery.not_an_object",
    "neither an eventType nor an eventName": "delivery.no_event_name",
    "the eventName is empty or not text": "delivery.no_event_type",
    "the eventType is empty or not text": "delivery.no_event_type",
    "a verify event without a challenge": "delivery.no_challenge",
    "a VERIFY event without a challenge": "delivery.no_challenge",
    "the event does not say which vehicle it is about": "delivery.no_vehicle",
    "no signals in the answer": "delivery.no_signals",
    "no responses in the answer": "delivery.no_responses",
}
_BATCH = 20_000
_CARRY = """
    UPDATE webhooks_inboxentry AS entry
    SET key_fingerprint = left(split_part(entry.signed_with, ' of application ', 1), 16),
        application_id = (
            SELECT id FROM connect_smartcarapplication
            WHERE id::text = split_part(entry.signed_with, ' of application ', 2)
        ),
        note_code = CASE
            WHEN entry.note = '' THEN ''
            WHEN entry.note ~ '^It failed [0-9]+ times\\.$' THEN 'delivery.failed'
            ELSE coalesce(%s::jsonb ->> entry.note, 'text')
        END,
        note_params = CASE
            WHEN entry.note ~ '^It failed [0-9]+ times\\.$'
                THEN jsonb_build_object('times', substring(entry.note FROM '[0-9]+')::int)
            WHEN entry.note = '' OR %s::jsonb ? entry.note THEN '{}'::jsonb
            ELSE jsonb_build_object('text', entry.note)
        END
    WHERE entry.id > %s AND entry.id <= %s AND (entry.signed_with <> '' OR entry.note <> '')
"""


def carry_over(apps, schema_editor):
    """In batches with a transaction each, so that receiving goes on beside a large inbox."""
    import json

    notes = json.dumps(NOTES)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM webhooks_inboxentry")
        first, last = cursor.fetchone()
        for below in range(first - 1, last, _BATCH):
            cursor.execute(_CARRY, [notes, notes, below, below + _BATCH])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("webhooks", "0008_codes")]

    operations = [
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        # The column stays in the database: the version before writes it, and ours has a default for it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("inboxentry", "note")]),
    ]
