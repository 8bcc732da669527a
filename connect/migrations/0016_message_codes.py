"""Adds the columns of message codes; the columns of finished texts get defaults and stay for the version before."""

from django.db import migrations, models

# The model, the name of the message, and whether Smartcar's own words have a column.
_MESSAGES = [
    ("authorizationrequest", "outcome", False),
    ("connection", "state_reason", False),
    ("connection", "subscription_error", True),
    ("connectionmigration", "reason", True),
    ("discrepancy", "note", True),
    ("erasurerecord", "note", False),
    ("offboardingrequest", "problem", True),
    ("pendingissue", "evidence", False),
    ("reconciliation", "problem", True),
    ("transition", "reason", False),
    ("transition", "evidence", False),
]
_TEXTS = [
    ("authorizationrequest", "outcome", 80),
    ("connection", "state_cause", 200),
    ("connection", "subscription_error", 200),
    ("connectionmigration", "reason", 300),
    ("discrepancy", "note", 200),
    ("erasurerecord", "label", 120),
    ("erasurerecord", "note", 200),
    ("offboardingrequest", "trouble", 300),
    ("pendingissue", "evidence", 160),
    ("reconciliation", "trouble", 300),
    ("transition", "cause", 200),
    ("transition", "evidence", 160),
]


def _text(length):
    return models.CharField(blank=True, db_default="", default="", max_length=length)


def _columns(model, message, own_words):
    yield migrations.AddField(model, f"{message}_code", _text(80))
    yield migrations.AddField(
        model, f"{message}_params", models.JSONField(blank=True, db_default={}, default=dict)
    )
    if own_words:
        yield migrations.AddField(model, f"{message}_smartcar_message", _text(500))


class Migration(migrations.Migration):
    dependencies = [("connect", "0015_field_names")]

    operations = [
        *(operation for message in _MESSAGES for operation in _columns(*message)),
        *(migrations.AlterField(model, field, _text(length)) for model, field, length in _TEXTS),
    ]
