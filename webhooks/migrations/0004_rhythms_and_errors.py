import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0002_latest_signal_room_for_updates"), ("webhooks", "0003_inbox_page")]

    operations = [
        migrations.CreateModel(
            name="Rhythm",
            fields=[
                (
                    "vehicle",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rhythm",
                        serialize=False,
                        to="vehicles.vehicle",
                    ),
                ),
                ("last_delivery_at", models.DateTimeField(blank=True, null=True)),
                ("usual_seconds", models.FloatField()),
                ("documented_seconds", models.FloatField()),
                ("reads", models.PositiveSmallIntegerField(default=0)),
                ("next_read_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="VehicleError",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "smartcar_user_id",
                    models.CharField(blank=True, max_length=128, verbose_name="Smartcar user id"),
                ),
                ("type", models.CharField(max_length=60)),
                ("code", models.CharField(blank=True, max_length=60)),
                (
                    "signals",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), default=list, size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(choices=[("ERROR", "Error"), ("RESOLVED", "Resolved")], max_length=8),
                ),
                ("description", models.TextField(blank=True)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "event_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=128), default=list, size=None
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="errors",
                        to="vehicles.vehicle",
                    ),
                ),
            ],
            options={
                "ordering": ["-last_at", "-id"],
                "indexes": [models.Index(fields=["vehicle", "-last_at"], name="webhooks_errors_of_a_car")],
            },
        ),
    ]
