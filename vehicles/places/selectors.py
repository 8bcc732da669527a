from django.db.models import QuerySet

from accounts.models import Fleet
from vehicles.places.models import Place


def list_places(*, fleet: Fleet) -> QuerySet[Place]:
    """Returns the fleet's places by name."""
    return Place.objects.filter(fleet=fleet).order_by("name")


def get_place(*, fleet: Fleet, place_id: int) -> Place | None:
    """Returns the fleet's place with this ID, or None."""
    return Place.objects.filter(fleet=fleet, pk=place_id).first()
