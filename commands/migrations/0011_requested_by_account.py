"""Commands of service accounts. The index is built without locking the table."""

import django.db.models.deletion
from django.db import migrations, models

INDEX = """
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS commands_account_key_once
    ON commands_command (requested_by_account_id, idempotency_key)
    WHERE requested_by_account_id IS NOT NULL AND NOT (idempotency_key = '')
"""
CONDITION = models.Q(requested_by_account__isnull=False) & ~models.Q(idempotency_key="")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0021_service_accounts"),
        ("commands", "0010_superseded"),
    ]

    operations = [
        migrations.AddField(
            model_name="command",
            name="requested_by_account",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.apitoken",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(INDEX, "DROP INDEX CONCURRENTLY IF EXISTS commands_account_key_once")
            ],
            state_operations=[
                migrations.AddConstraint(
                    "command",
                    models.UniqueConstraint(
                        fields=["requested_by_account", "idempotency_key"],
                        name="commands_account_key_once",
                        condition=CONDITION,
                    ),
                )
            ],
        ),
    ]
