import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0004_rhythms_and_errors")]

    operations = [
        migrations.AddIndex(
            model_name="inboxentry",
            index=models.Index(
                condition=models.Q(("event_type__in", ["", "VEHICLE_STATE"]), _negated=True),
                fields=["event_type", "id"],
                name="webhooks_rare_types",
            ),
        ),
        migrations.AddIndex(
            model_name="inboxentry",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["received_at"], name="webhooks_received", pages_per_range=32
            ),
        ),
    ]
