"""Entries of the audit log can be about the site instead of a fleet."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_attempt_counts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditlogentry",
            name="fleet",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="audit_entries",
                to="accounts.fleet",
            ),
        ),
    ]
