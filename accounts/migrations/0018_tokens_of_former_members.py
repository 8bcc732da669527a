"""Revokes the API tokens of users who are no longer members, which worked again after a new invitation."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Exists, OuterRef
from django.utils import timezone


def revoke(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    tokens = apps.get_model("accounts", "ApiToken").objects.filter(revoked_at=None)
    memberships = apps.get_model("accounts", "Membership").objects
    own = memberships.filter(fleet=OuterRef("fleet"), user=OuterRef("user"))
    tokens.filter(~Exists(own)).update(revoked_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_labels"),
    ]

    operations = [migrations.RunPython(revoke, migrations.RunPython.noop)]
