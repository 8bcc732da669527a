"""Deletes authorizations and invitations of drivers that ended long ago."""

from datetime import datetime, timedelta

from connect.models import AuthorizationRequest, Invitation
from core.one_time_links import RETENTION

# An authorization is usable for an hour. Its outcome is shown to the person who returns to the page.
AUTHORIZATION_RETENTION = timedelta(days=30)


def purge(*, now: datetime) -> None:
    """Deletes old authorizations, and the invitations that were used or revoked, or have expired, long ago."""
    AuthorizationRequest.objects.filter(created_at__lt=now - AUTHORIZATION_RETENTION).delete()
    Invitation.ended_before(now - RETENTION).delete()
