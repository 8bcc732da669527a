"""Emails about alerts move to the one table of outgoing emails.

The old tables stay until a later release, for the old version still running.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import migrations

# An email that the old version is sending has a later next_try_at: that version finishes it.
_CARRY = """
    WITH letter AS (
        UPDATE alerts_letter SET dropped_at = now()
        WHERE sent_at IS NULL AND dropped_at IS NULL AND next_try_at <= now()
        RETURNING *
    )
    INSERT INTO core_outgoingemail (kind, object_id, params, recipient, language, message_id, created_at, state,
        attempts, next_attempt_at, give_up_at, error, error_params, smtp_response)
    SELECT 'alerts.digest', membership.id,
        jsonb_build_object('alerts', (
            SELECT coalesce(jsonb_agg(told.notice_id ORDER BY told.notice_id), '[]')
            FROM alerts_letter_notices AS told WHERE told.letter_id = letter.id
        )),
        person.email, person.language,
        '<notices-' || letter.id || '-' || to_char(letter.created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS')
            || '@' || %(host)s || '>',
        letter.created_at, 'pending', 0, now(), letter.created_at + interval '1 day', '', '{}', ''
    FROM letter
    JOIN accounts_membership AS membership
        ON membership.fleet_id = letter.fleet_id AND membership.user_id = letter.user_id
    JOIN accounts_user AS person ON person.id = letter.user_id
    WHERE letter.created_at > now() - interval '1 day'
"""
# Without models of these tables, Django no longer deletes their rows before the rows that they refer to.
_DROP_FOREIGN_KEYS = """
    DO $$ DECLARE found record; BEGIN
        FOR found IN SELECT conname, conrelid::regclass AS name FROM pg_constraint
            WHERE conrelid IN ('alerts_letter'::regclass, 'alerts_letter_notices'::regclass) AND contype = 'f'
        LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.name, found.conname);
        END LOOP;
    END $$
"""


def carry(cursor: Any) -> None:
    """Queues what the old version left unsent, under its Message-IDs. May run again, for what it wrote meanwhile."""
    cursor.execute(_CARRY, {"host": urlsplit(settings.SITE_URL).hostname})


def _carry(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        carry(cursor)


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0001_initial"),
        ("accounts", "0016_outgoing_emails"),
        ("core", "0001_outgoing_email"),
    ]

    operations = [
        migrations.RunPython(_carry, migrations.RunPython.noop, elidable=True),
        # The next statement waits for the deferred checks of the rows above.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_DROP_FOREIGN_KEYS, migrations.RunSQL.noop)],
            state_operations=[migrations.DeleteModel("Letter")],
        ),
    ]
