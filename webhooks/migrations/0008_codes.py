"""Notes become codes with parameters; whose key signed a message becomes a foreign key and a fingerprint.

The columns that hold texts stay for the version before, with defaults.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0007_model_names"), ("connect", "0015_field_names")]

    operations = [
        migrations.AddField(
            "inboxentry",
            "application",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="connect.smartcarapplication",
            ),
        ),
        migrations.AddField(
            "inboxentry",
            "key_fingerprint",
            models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
        migrations.AddField(
            "inboxentry", "note_code", models.CharField(blank=True, db_default="", default="", max_length=80)
        ),
        migrations.AddField(
            "inboxentry", "note_params", models.JSONField(blank=True, db_default={}, default=dict)
        ),
        migrations.AlterField(
            "inboxentry",
            "signed_with",
            models.CharField(blank=True, db_default="", default="", editable=False, max_length=64),
        ),
        migrations.AlterField(
            "inboxentry", "note", models.CharField(blank=True, db_default="", max_length=300)
        ),
    ]
