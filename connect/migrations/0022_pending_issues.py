"""Renames the accessor of a connection's pending issues. The database doesn't change."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connect", "0021_offboarding_names")]

    operations = [
        migrations.AlterField(
            "pendingissue",
            "connection",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="pending_issues",
                to="connect.connection",
            ),
        ),
    ]
