"""Models and fields get the names of the glossary. Tables and columns keep theirs, so the database doesn't change."""

import django.db.models.deletion
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models import F, Q

_TYPES = [
    ("connection", "Connection lost"),
    ("token", "Access about to end"),
    ("battery", "Low battery or fuel"),
]


def _types(column: str) -> ArrayField:
    return ArrayField(
        base_field=models.CharField(choices=_TYPES, max_length=12),
        blank=True,
        db_column=column,
        default=list,
        size=None,
    )


def _owner(model: str, name: str) -> models.OneToOneField:
    return models.OneToOneField(
        on_delete=django.db.models.deletion.CASCADE,
        primary_key=True,
        related_name=name,
        serialize=False,
        to=model,
    )


def _subject(model: str) -> models.ForeignKey:
    return models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="alerts", to=model)


_SETTINGS: list[Operation] = [
    migrations.AlterModelTable("fleetrules", "alerts_fleetrules"),
    migrations.RenameModel("FleetRules", "AlertSettings"),
    migrations.AlterModelOptions(
        "alertsettings", {"verbose_name": "alert settings", "verbose_name_plural": "alert settings"}
    ),
    migrations.AlterField("alertsettings", "fleet", _owner("accounts.fleet", "alert_settings")),
]
_PREFERENCES: list[Operation] = [
    migrations.AlterModelTable("memberchoice", "alerts_memberchoice"),
    migrations.RenameModel("MemberChoice", "NotificationPreference"),
    migrations.AlterModelOptions("notificationpreference", {"verbose_name": "notification preference"}),
    migrations.AlterField(
        "notificationpreference", "membership", _owner("accounts.membership", "notification_preference")
    ),
    migrations.AlterField("notificationpreference", "in_bell", _types("in_bell")),
    migrations.RenameField("notificationpreference", "in_bell", "in_app"),
    migrations.AlterField("notificationpreference", "by_mail", _types("by_mail")),
    migrations.RenameField("notificationpreference", "by_mail", "by_email"),
]
_ALERTS: list[Operation] = [
    migrations.RemoveConstraint("notice", "alerts_notice_open_once"),
    migrations.RemoveIndex("notice", "alerts_notice_of_fleet"),
    migrations.RemoveIndex("notice", "alerts_notice_due"),
    migrations.RemoveIndex("notice", "alerts_notice_unposted"),
    migrations.RemoveIndex("notice", "alerts_notice_of_subject"),
    migrations.AlterModelOptions("notice", {}),
    migrations.AlterModelTable("notice", "alerts_notice"),
    migrations.RenameModel("Notice", "Alert"),
    migrations.AlterField("alert", "fleet", _subject("accounts.fleet")),
    migrations.AlterField("alert", "vehicle", _subject("vehicles.vehicle")),
    migrations.AlterField("alert", "subject", models.BigIntegerField(db_column="subject")),
    migrations.RenameField("alert", "subject", "subject_id"),
    migrations.AlterField("alert", "facts", models.JSONField(db_column="facts", default=dict)),
    migrations.RenameField("alert", "facts", "payload"),
    migrations.AlterField("alert", "news_at", models.DateTimeField(db_column="news_at")),
    migrations.RenameField("alert", "news_at", "last_raised_at"),
    migrations.AlterField(
        "alert", "posted_at", models.DateTimeField(blank=True, db_column="posted_at", null=True)
    ),
    migrations.RenameField("alert", "posted_at", "emailed_at"),
    migrations.AlterField(
        "alert", "ended_at", models.DateTimeField(blank=True, db_column="ended_at", null=True)
    ),
    migrations.RenameField("alert", "ended_at", "resolved_at"),
    migrations.AlterModelOptions(
        "alert",
        {
            "ordering": [
                models.OrderBy(F("resolved_at"), descending=True, nulls_first=True),
                models.OrderBy(F("acknowledged_at"), descending=True, nulls_first=True),
                "-last_raised_at",
                "-id",
            ]
        },
    ),
    migrations.AddIndex(
        "alert", models.Index(fields=["fleet", "-resolved_at"], name="alerts_notice_of_fleet")
    ),
    migrations.AddIndex(
        "alert",
        models.Index(
            condition=Q(("acknowledged_at", None), ("resolved_at", None)),
            fields=["fleet", "kind"],
            name="alerts_notice_due",
        ),
    ),
    migrations.AddIndex(
        "alert",
        models.Index(
            condition=Q(("emailed_at", None), ("resolved_at", None)),
            fields=["last_raised_at"],
            name="alerts_notice_unposted",
        ),
    ),
    migrations.AddIndex(
        "alert",
        models.Index(fields=["kind", "subject_id", "-resolved_at"], name="alerts_notice_of_subject"),
    ),
    migrations.AddConstraint(
        "alert",
        models.UniqueConstraint(
            condition=Q(("resolved_at", None)),
            fields=("kind", "subject_id", "fleet"),
            name="alerts_notice_open_once",
        ),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_outgoing_emails")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[*_SETTINGS, *_PREFERENCES, *_ALERTS]),
    ]
