import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("connect", "0006_generation_move"),
        ("vehicles", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Removal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("by_driver", models.BooleanField(default=False)),
                (
                    "extent",
                    models.CharField(
                        choices=[
                            ("nothing", "Nothing: what was recorded is kept"),
                            ("places", "The places: wherever the car was"),
                            ("everything", "Everything that was recorded of the car"),
                        ],
                        max_length=10,
                    ),
                ),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("until", models.DateTimeField()),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("trouble", models.CharField(blank=True, max_length=300)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="removals",
                        to="connect.connection",
                    ),
                ),
                (
                    "fleet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="removals",
                        to="accounts.fleet",
                    ),
                ),
                (
                    "vehicle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="removals",
                        to="vehicles.vehicle",
                    ),
                ),
            ],
            options={
                "ordering": ["-asked_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ErasedRows",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("label", models.CharField(max_length=120)),
                ("rows", models.PositiveBigIntegerField(default=0)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "removal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="erased",
                        to="connect.removal",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "erased rows",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RemovedGrant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "end",
                    models.CharField(
                        choices=[
                            ("waiting", "Smartcar is still to be told"),
                            ("ended", "Ended at Smartcar"),
                            ("before", "Smartcar had ended it before"),
                            (
                                "shared",
                                "Goes on: the driver shares the car with another fleet of this site by the same grant",
                            ),
                            ("again", "Goes on: the driver has connected the car again since"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("request_id", models.CharField(blank=True, max_length=80)),
                (
                    "listing",
                    models.CharField(
                        choices=[
                            ("waiting", "Still to be asked"),
                            ("gone", "Smartcar's list no longer shows it"),
                            ("shown", "Smartcar's list still shows it; it is asked again"),
                            ("goes_on", "Not asked: the grant goes on"),
                            (
                                "no_list",
                                "Smartcar cannot be asked: no management token is set for this application",
                            ),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("listed_at", models.DateTimeField(blank=True, null=True, verbose_name="list asked at")),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="connect.connection"
                    ),
                ),
                (
                    "removal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="connect.removal",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="removal",
            index=models.Index(
                condition=models.Q(("finished_at", None)), fields=["id"], name="connect_removal_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="erasedrows",
            constraint=models.UniqueConstraint(fields=("removal", "kind"), name="connect_erased_kind_once"),
        ),
        migrations.AddConstraint(
            model_name="removedgrant",
            constraint=models.UniqueConstraint(
                fields=("removal", "connection"), name="connect_removed_grant_once"
            ),
        ),
    ]
