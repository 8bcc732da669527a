"""The migration that revokes the API tokens of former members."""

import importlib

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import ApiToken, Fleet, User

pytestmark = pytest.mark.django_db


def test_only_open_tokens_of_former_members_are_revoked(fleet: Fleet, owner: User, outsider: User) -> None:
    for number, user in enumerate((owner, outsider)):
        ApiToken.objects.create(user=user, fleet=fleet, name="Reports", secret_hash=str(number))
    migration = importlib.import_module("accounts.migrations.0018_tokens_of_former_members")
    with connection.schema_editor() as editor:
        migration.revoke(apps, editor)
    states = dict(ApiToken.objects.values_list("user", "revoked_at"))
    assert states[owner.pk] is None
    assert states[outsider.pk] is not None
