"""Keeping v2 refresh tokens alive: each is rotated at half of its 60 days, oldest first."""

from datetime import datetime, timedelta

from connect import vault
from connect.models import OwnerTokens
from connect.smartcar import SmartcarError

HALF_LIFE = timedelta(days=30)
BATCH = 50


def due(*, now: datetime) -> list[OwnerTokens]:
    """Pairs in use with less than half of their refresh token's life left, those that end first in front."""
    pairs = OwnerTokens.objects.filter(
        revoked_at=None, refresh_expires_at__lt=now + HALF_LIFE, connections__isnull=False
    )
    return list(pairs.distinct().order_by("refresh_expires_at")[:BATCH])


def refresh_due(*, now: datetime) -> int:
    """Rotates the due pairs; one that fails keeps its old pair and is tried again. Returns how many were rotated."""
    rotated = 0
    for pair in due(now=now):
        try:
            vault.refresh(tokens=pair)
        except (SmartcarError, vault.TokensUnavailableError):
            continue
        rotated += 1
    return rotated
