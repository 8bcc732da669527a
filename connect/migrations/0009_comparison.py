import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("connect", "0008_usage"),
    ]

    operations = [
        migrations.CreateModel(
            name="Comparison",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "generation",
                    models.CharField(
                        choices=[
                            ("v2", "v2 (a token pair per driver)"),
                            ("v3", "v3 (one application token)"),
                        ],
                        max_length=2,
                    ),
                ),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("running", "Under way"),
                            ("done", "Compared"),
                            (
                                "doubted",
                                "Compared, but too much was missing to be believed: nothing was removed",
                            ),
                            ("failed", "Smartcar's lists could not be had in full: nothing was compared"),
                        ],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("trouble", models.CharField(blank=True, max_length=300)),
                ("ours", models.PositiveIntegerField(default=0, verbose_name="connections here")),
                ("theirs", models.PositiveIntegerField(default=0, verbose_name="connections at Smartcar")),
                (
                    "subscriptions",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="subscriptions at Smartcar"
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="connect.smartcarapplication",
                    ),
                ),
            ],
            options={
                "ordering": ["-began_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ComparedFleet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("connections", models.PositiveIntegerField()),
                (
                    "fleet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="compared",
                        to="accounts.fleet",
                    ),
                ),
                (
                    "comparison",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fleets",
                        to="connect.comparison",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Drift",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("gone", "Smartcar's list no longer has this connection"),
                            ("back", "Smartcar lists a connection that had ended here"),
                            ("unsubscribed", "The car is not subscribed to the webhook"),
                            ("leftover", "Removed here, alive at Smartcar"),
                            ("new_id", "Smartcar's id of the connection has changed"),
                            ("unknown", "At Smartcar, unknown here"),
                        ],
                        max_length=12,
                    ),
                ),
                ("smartcar_user_id", models.CharField(max_length=128, verbose_name="Smartcar user id")),
                ("smartcar_vehicle_id", models.CharField(max_length=128, verbose_name="Smartcar vehicle id")),
                ("healed", models.BooleanField(default=False)),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="what was done")),
                (
                    "comparison",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drifts",
                        to="connect.comparison",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drifts",
                        to="connect.connection",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddConstraint(
            model_name="comparison",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "running")),
                fields=("application", "generation"),
                name="connect_one_comparison",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="comparedfleet",
            constraint=models.UniqueConstraint(fields=("comparison", "fleet"), name="connect_compared_once"),
        ),
    ]
