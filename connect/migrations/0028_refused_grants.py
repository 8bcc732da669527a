"""Grants of authorizations that were refused, to be ended at Smartcar."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connect", "0027_search_after_erasure")]

    operations = [
        migrations.CreateModel(
            name="RefusedGrant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("smartcar_user_id", models.CharField(max_length=128, verbose_name="Smartcar user id")),
                ("smartcar_vehicle_id", models.CharField(max_length=128, verbose_name="Smartcar vehicle id")),
                (
                    "smartcar_connection_id",
                    models.CharField(blank=True, max_length=128, verbose_name="Smartcar connection id"),
                ),
                ("refused_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("request_id", models.CharField(blank=True, max_length=80)),
                ("problem_code", models.CharField(blank=True, db_default="", default="", max_length=80)),
                ("problem_params", models.JSONField(blank=True, db_default={}, default=dict)),
                (
                    "problem_smartcar_message",
                    models.CharField(blank=True, db_default="", default="", max_length=500),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "authorization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_grants",
                        to="connect.authorizationrequest",
                    ),
                ),
                (
                    "tokens",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="connect.usertoken",
                    ),
                ),
            ],
            options={"db_table": "connect_refusedgrant", "ordering": ["-refused_at", "-id"]},
        ),
        migrations.AddIndex(
            model_name="refusedgrant",
            index=models.Index(
                condition=models.Q(("ended_at", None)),
                fields=["next_try_at"],
                name="connect_refused_grant_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="refusedgrant",
            constraint=models.UniqueConstraint(
                fields=("authorization", "smartcar_vehicle_id"), name="connect_refused_grant_once"
            ),
        ),
        migrations.AddField(
            model_name="discrepancy",
            name="refused_grant",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="connect.refusedgrant",
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="kind",
            field=models.CharField(
                choices=[
                    ("gone", "Smartcar no longer lists this connection"),
                    ("back", "Smartcar lists a connection that had ended here"),
                    ("unsubscribed", "Vehicle not subscribed to the webhook"),
                    ("leftover", "Disconnected here, still active at Smartcar"),
                    ("new_id", "Smartcar's ID for the connection has changed"),
                    ("unknown", "Listed by Smartcar, unknown here"),
                    ("refused", "Invitation already closed, access still active at Smartcar"),
                ],
                max_length=12,
            ),
        ),
    ]
