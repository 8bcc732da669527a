"""Connections record that their vehicle is due to be fetched, instead of naming a task of an app above."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connect", "0018_outgoing_emails")]

    operations = [
        migrations.AddField("connection", "fetch_due_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddIndex(
            "connection",
            models.Index(
                condition=models.Q(("fetch_due_at__isnull", False)),
                fields=["fetch_due_at"],
                name="connect_connection_fetch_due",
            ),
        ),
    ]
