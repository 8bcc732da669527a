"""Keeping a fleet's own places."""

from django.db import transaction

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import User
from vehicles.places.models import Place

# Of one fleet: all of them are looked through on each of its pages.
MAX_PLACES = 1000


@transaction.atomic
def save_place(*, place: Place, actor: User) -> Place:
    """Stores a place, new or changed. Raises IntegrityError when the fleet has another of this name."""
    event = AuditEvent.PLACE_CREATED if place.pk is None else AuditEvent.PLACE_CHANGED
    place.save()
    _log(place, place.pk, event, actor)
    return place


@transaction.atomic
def delete_place(*, place: Place, actor: User) -> None:
    """Forgets a place. Cars that stand there are named by the nearest town from now on."""
    key = place.pk
    place.delete()
    _log(place, key, AuditEvent.PLACE_DELETED, actor)


def _log(place: Place, key: int, event: AuditEvent, actor: User) -> None:
    about = (AuditObject.PLACE, key)
    log_event(fleet=place.fleet, actor=actor, event=event, about=about, data={"name": place.name})
