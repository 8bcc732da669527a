"""The audit log keeps codes and data instead of sentences. The old columns stay for the version before, with defaults."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_field_names")]

    operations = [
        migrations.AddField("auditlogentry", "event", models.CharField(db_default="", max_length=48)),
        migrations.AddField(
            "auditlogentry",
            "object_type",
            models.CharField(blank=True, db_default="", default="", max_length=24),
        ),
        migrations.AddField(
            "auditlogentry",
            "object_id",
            models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            "auditlogentry", "data", models.JSONField(blank=True, db_default={}, default=dict)
        ),
        migrations.AlterField("auditlogentry", "action", models.CharField(db_default="", max_length=60)),
        migrations.AlterField(
            "auditlogentry", "target", models.CharField(blank=True, db_default="", max_length=120)
        ),
    ]
