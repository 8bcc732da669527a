"""Emails to drivers move to the one table of outgoing emails.

The old columns stay until a later release, for the old version still running, with defaults by which the old version
takes new invitations for sent.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import migrations, models

_COLUMNS = """
    INSERT INTO core_outgoingemail (kind, object_id, params, recipient, language, message_id, created_by_id,
        created_at, state, attempts, next_attempt_at, give_up_at, error, error_params, smtp_response)
"""
_MESSAGE_ID = "'<' || replace(gen_random_uuid()::text, '-', '') || '@' || %(host)s || '>'"
_CARRY_INVITATIONS = f"""
    WITH invitation AS (
        UPDATE connect_invitation SET mailed_at = now()
        WHERE by_mail AND mailed_at IS NULL AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now()
            AND created_at > now() - interval '1 day'
        RETURNING *
    )
    {_COLUMNS}
    SELECT 'connect.invitation', id, '{{}}', driver_email, language, {_MESSAGE_ID}, made_by_id,
        created_at, 'pending', 0, now(), created_at + interval '1 day', '', '{{}}', ''
    FROM invitation
"""  # noqa: S608  made of constants
_CARRY_PAGES = f"""
    WITH page AS (
        UPDATE connect_driverpage SET mailed_at = now()
        WHERE mail_wanted_at > now() - interval '1 day' AND mailed_at IS NULL AND revoked_at IS NULL
        RETURNING *
    )
    {_COLUMNS}
    SELECT 'connect.driver_portal', id, '{{}}', driver_email, language, {_MESSAGE_ID}, NULL,
        mail_wanted_at, 'pending', 0, now(), mail_wanted_at + interval '1 day', '', '{{}}', ''
    FROM page
"""  # noqa: S608  made of constants
_DEFAULTS = """
    ALTER TABLE connect_invitation
        ALTER by_mail SET DEFAULT false, ALTER mailed_at SET DEFAULT now(), ALTER mail_error SET DEFAULT ''
"""


def carry(cursor: Any) -> None:
    """Queues what the old version left unsent. May run again, for what it wrote meanwhile."""
    host = {"host": urlsplit(settings.SITE_URL).hostname}
    cursor.execute(_CARRY_INVITATIONS, host)
    cursor.execute(_CARRY_PAGES, host)


def _carry(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        carry(cursor)


class Migration(migrations.Migration):
    dependencies = [("connect", "0017_carry_messages_over"), ("core", "0001_outgoing_email")]

    operations = [
        migrations.RunPython(_carry, migrations.RunPython.noop, elidable=True),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_DEFAULTS, migrations.RunSQL.noop)],
            state_operations=[
                migrations.RemoveField("driverportal", "mail_wanted_at"),
                migrations.RemoveField("driverportal", "mailed_at"),
                migrations.RemoveField("invitation", "mailed_at"),
                migrations.RemoveField("invitation", "mail_error"),
                migrations.RenameField("invitation", "by_mail", "by_email"),
                migrations.AlterField(
                    "invitation",
                    "by_email",
                    models.BooleanField(db_column="by_mail", default=False, verbose_name="sent by email"),
                ),
            ],
        ),
    ]
