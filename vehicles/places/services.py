"""Keeping a fleet's own places."""

from django.db import transaction

from accounts import audit
from accounts.models import User
from vehicles.places.models import Place

# Of one fleet: all of them are looked through on each of its pages.
MAX_PLACES = 1000


@transaction.atomic
def save_place(*, place: Place, actor: User) -> Place:
    """Stores a place, new or changed. Raises IntegrityError when the fleet has another of this name."""
    deed = "made a place" if place.pk is None else "changed a place"
    place.save()
    audit.record(fleet=place.fleet, actor=actor, action=deed, target=place.name)
    return place


@transaction.atomic
def delete_place(*, place: Place, actor: User) -> None:
    """Forgets a place. Cars that stand there are named by the nearest town from now on."""
    place.delete()
    audit.record(fleet=place.fleet, actor=actor, action="deleted a place", target=place.name)
