"""Saves and deletes a fleet's own places."""

from django.db import transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import User
from vehicles.places.models import Place

# The limit per fleet: every page with locations loads all of the fleet's places.
MAX_PLACES = 1000


@transaction.atomic
def save_place(*, place: Place, actor: User) -> Place:
    """Stores a new or changed place. Raises IntegrityError if the fleet has another place with this name."""
    event = AuditEvent.PLACE_CREATED if place.pk is None else AuditEvent.PLACE_CHANGED
    place.save()
    _log(place, place.pk, event, actor)
    return place


@transaction.atomic
def delete_place(*, place: Place, actor: User) -> None:
    """Deletes a place. Locations in it are then named by the nearest town."""
    key = place.pk
    place.delete()
    _log(place, key, AuditEvent.PLACE_DELETED, actor)


def _log(place: Place, key: int, event: AuditEvent, actor: User) -> None:
    about = (AuditObject.PLACE, key)
    log_event(fleet=place.fleet, actor=actor, event=event, about=about, data={"name": place.name})
