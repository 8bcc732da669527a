"""Authorizations and invitations of drivers are deleted long after they ended; connections stay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Fleet, User
from connect import tasks
from connect.models import AuthorizationRequest, Connection, Invitation
from connect.retention import AUTHORIZATION_RETENTION
from core.one_time_links import RETENTION
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_old_authorizations_are_deleted(fleet: Fleet, owner: User, vehicle: Vehicle) -> None:
    now = timezone.now()
    connection = Connection.objects.create(
        fleet=fleet, vehicle=vehicle, smartcar_user_id="user", api_version="v3", mode="live"
    )
    for name, age in (("old", AUTHORIZATION_RETENTION + DAY), ("recent", AUTHORIZATION_RETENTION - DAY)):
        AuthorizationRequest.objects.create(
            fleet=fleet,
            started_by=owner,
            connection=connection,
            api_version="v3",
            mode="live",
            scopes=[],
            state_hash=name,
            session_hash=name,
            external_id=name,
            created_at=now - age,
        )
    tasks.purge()
    assert [each.external_id for each in AuthorizationRequest.objects.all()] == ["recent"]
    assert Connection.objects.filter(pk=connection.pk).exists()


def test_invitations_are_deleted_once_they_ended_long_ago(fleet: Fleet) -> None:
    now = timezone.now()
    long_ago, lately = now - RETENTION - DAY, now - RETENTION + DAY
    rows = {
        "used": {"used_at": long_ago, "expires_at": now},
        "revoked": {"revoked_at": long_ago, "expires_at": now},
        "expired": {"expires_at": long_ago},
        "recently used": {"used_at": lately, "expires_at": lately},
        "open": {"created_at": long_ago, "expires_at": now + DAY},
    }
    for name, times in rows.items():
        Invitation.objects.create(
            fleet=fleet, driver_name=name, scopes=[], mode="live", secret_hash=name, **times
        )
    tasks.purge()
    assert set(Invitation.objects.values_list("driver_name", flat=True)) == {"recently used", "open"}
