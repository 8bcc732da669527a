"""Changing a fleet's settings, and creating fleets."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import services as accounts
from accounts.audit import AuditEvent, log_event
from accounts.models import Fleet, User
from accounts.permissions import Permission, fleets_for

_SETTINGS = (
    "name",
    "legal_name",
    "contact_email",
    "privacy_notice_url",
    "unit_system",
    "time_zone",
    "raw_retention_months",
    "rollup_retention_months",
)
_SLUG_LENGTH = 40


@transaction.atomic
def update_settings(*, fleet: Fleet, values: Mapping[str, Any], actor: User) -> list[str]:
    """Stores the settings and logs each change in the audit log. Returns the names of the changed settings."""
    stored = Fleet.objects.select_for_update().get(pk=fleet.pk)
    changed = [name for name in _SETTINGS if name in values and getattr(stored, name) != values[name]]
    for name in changed:
        log_event(
            fleet=fleet,
            actor=actor,
            event=AuditEvent.FLEET_SETTINGS_CHANGED,
            data={"field": name, "from": getattr(stored, name), "to": values[name]},
        )
        setattr(stored, name, values[name])
    if changed:
        stored.save(update_fields=changed)
    return changed


def can_create_fleet(user: User) -> bool:
    """Whether the user may create fleets: staff and fleet owners may."""
    return user.is_staff or fleets_for(user=user, right=Permission.ADMINISTER).exists()


def create_fleet(*, values: Mapping[str, Any], owner: User) -> Fleet:
    """Creates a fleet with this owner. Its slug is derived from the name."""
    base = slugify(values["name"])[:_SLUG_LENGTH].strip("-") or "fleet"
    taken = set(Fleet.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    number = 1
    while True:
        slug = base if number == 1 else f"{base}-{number}"
        if slug not in taken:
            try:
                return _create(slug, values, owner)
            except IntegrityError:  # created concurrently
                taken.add(slug)
        number += 1


@transaction.atomic
def _create(slug: str, values: Mapping[str, Any], owner: User) -> Fleet:
    fleet = accounts.create_fleet(
        name=values["name"], slug=slug, owner=owner, api_version=settings.SMARTCAR_API_VERSION
    )
    fleet.unit_system, fleet.time_zone = values["unit_system"], values["time_zone"]
    fleet.save(update_fields=["unit_system", "time_zone"])
    return fleet
