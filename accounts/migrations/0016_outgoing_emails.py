"""Emails about accounts and invitations move to the one table of outgoing emails.

The old table and columns stay until a later release, for the old version still running. The columns have defaults by
which the old version takes new invitations for sent.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import migrations, models

# An email being sent by the old version is locked: the statement waits for it and then finds it sent.
_CARRY_LETTERS = """
    WITH letter AS (DELETE FROM accounts_letter RETURNING *)
    INSERT INTO core_outgoingemail (kind, object_id, params, recipient, language, message_id, created_at, state,
        attempts, next_attempt_at, give_up_at, error, error_params, smtp_response)
    SELECT 'accounts.' || kind, user_id, told, address, language,
        '<' || replace(gen_random_uuid()::text, '-', '') || '@' || %(host)s || '>', created_at, 'pending',
        0, now(), created_at + interval '1 day', '', '{}', ''
    FROM letter WHERE sent_at IS NULL AND created_at > now() - interval '1 day'
"""
_CARRY_INVITATIONS = """
    WITH invitation AS (
        UPDATE accounts_memberinvitation SET mailed_at = now()
        WHERE by_mail AND mailed_at IS NULL AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now()
            AND created_at > now() - interval '1 day'
        RETURNING *
    )
    INSERT INTO core_outgoingemail (kind, object_id, params, recipient, language, message_id, created_by_id,
        created_at, state, attempts, next_attempt_at, give_up_at, error, error_params, smtp_response)
    SELECT 'accounts.member_invitation', id, '{}', email, language,
        '<' || replace(gen_random_uuid()::text, '-', '') || '@' || %(host)s || '>', made_by_id,
        created_at, 'pending', 0, now(), created_at + interval '1 day', '', '{}', ''
    FROM invitation
"""
# Without a model of the table, Django no longer deletes its rows before the user that they refer to.
_DROP_FOREIGN_KEYS = """
    DO $$ DECLARE found record; BEGIN
        FOR found IN SELECT conname FROM pg_constraint WHERE conrelid = 'accounts_letter'::regclass AND contype = 'f'
        LOOP
            EXECUTE format('ALTER TABLE accounts_letter DROP CONSTRAINT %I', found.conname);
        END LOOP;
    END $$
"""
_DEFAULTS = """
    ALTER TABLE accounts_memberinvitation
        ALTER by_mail SET DEFAULT false, ALTER mailed_at SET DEFAULT now(), ALTER mail_error SET DEFAULT ''
"""


def carry(cursor: Any) -> None:
    """Queues what the old version left unsent. May run again, for what it wrote meanwhile."""
    host = {"host": urlsplit(settings.SITE_URL).hostname}
    cursor.execute(_CARRY_LETTERS, host)
    cursor.execute(_CARRY_INVITATIONS, host)


def _carry(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        carry(cursor)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0015_audit_by_object"), ("core", "0001_outgoing_email")]

    operations = [
        migrations.RunPython(_carry, migrations.RunPython.noop, elidable=True),
        # Both wait for the deferred checks of the rows above.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_DROP_FOREIGN_KEYS, migrations.RunSQL.noop),
                migrations.RunSQL(_DEFAULTS, migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.DeleteModel("Letter"),
                migrations.RemoveField("memberinvitation", "mailed_at"),
                migrations.RemoveField("memberinvitation", "mail_error"),
                migrations.RenameField("memberinvitation", "by_mail", "by_email"),
                migrations.AlterField(
                    "memberinvitation",
                    "by_email",
                    models.BooleanField(db_column="by_mail", default=False, verbose_name="sent by email"),
                ),
            ],
        ),
    ]
