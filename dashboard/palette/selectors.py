"""Queries of the command palette. Each is one query with a limit, and reads no location and no VIN."""

from collections.abc import Sequence
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Lower

from accounts.models import Fleet
from connect.driver_portal.models import DriverPortal
from connect.invitations.models import UNNAMED, Invitation
from connect.models import Connection, ConnectionState
from vehicles.models import Place, Vehicle

_SEPARATORS = " -.·_/"
_PARTS = ("name", "plate", "make", "model", "year", "driver")


def without_separators(text: str) -> str:
    """Returns the text as plates are compared: "B-CD 123" and "bcd123" are the same plate."""
    return "".join(letter for letter in text if letter not in _SEPARATORS).lower()


def find_vehicles(*, fleet: Fleet, words: Sequence[str], limit: int) -> list[Vehicle]:
    """Returns connected vehicles in whose name, plate, make, model, year or driver's name each word occurs.

    A plate matches with or without its hyphens and spaces. Vehicles whose name or plate begins with the words come
    first.
    """
    flat = without_separators("".join(words))
    vehicles = Vehicle.objects.filter(_connected("pk"), fleet=fleet).annotate(
        searched=Func(Value(" "), *_PARTS, function="concat_ws", output_field=CharField()),
        flat_plate=Lower(
            Func(F("plate"), Value(_SEPARATORS), Value(""), function="translate", output_field=CharField())
        ),
    )
    all_words = Q()
    for word in words:
        all_words &= Q(searched__icontains=word)
    by_plate = Q(flat_plate__contains=flat) if flat else Q(pk__in=[])
    begins = Q(name__istartswith=" ".join(words)) | (Q(flat_plate__startswith=flat) if flat else Q(pk__in=[]))
    first = Case(When(begins, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = vehicles.filter(all_words | by_plate)
    return list(found.order_by(first, Lower("name"), "make", "model", "pk")[:limit])


def find_drivers(*, fleet: Fleet, words: Sequence[str], invited: bool, limit: int) -> dict[str, bool]:
    """Returns the names of drivers, and whether each drives a vehicle of the fleet or else was only invited.

    Names of drivers who were only invited are included if `invited` is set.
    """
    vehicles = Vehicle.objects.filter(_connected("pk"), fleet=fleet).exclude(driver="")
    pages = DriverPortal.objects.filter(
        Exists(
            Connection.objects.filter(fleet=fleet, smartcar_user_id=OuterRef("smartcar_user_id")).exclude(
                state=ConnectionState.REMOVED
            )
        ),
        fleet=fleet,
    ).exclude(driver_name="")
    names = _names(vehicles, "driver", words, driving=1)
    names = names.union(_names(pages, "driver_name", words, driving=1))
    if invited:
        invitations = Invitation.objects.filter(fleet=fleet).exclude(driver_name=UNNAMED)
        names = names.union(_names(invitations, "driver_name", words, driving=0))
    found: dict[str, bool] = {}
    # A driver may be in both lists, so twice as many rows are enough.
    for row in names.order_by("person", "-driving")[: 2 * limit]:
        found[row["person"]] = found.get(row["person"], False) or bool(row["driving"])
    return dict(list(found.items())[:limit])


def find_places(*, fleet: Fleet, words: Sequence[str], limit: int) -> list[Place]:
    """Returns the fleet's places in whose name each word occurs, by name."""
    places = Place.objects.filter(fleet=fleet)
    for word in words:
        places = places.filter(name__icontains=word)
    return list(places.order_by("name")[:limit])


def _connected(vehicle: str) -> Exists:
    """The vehicles that the vehicles page lists."""
    connections = Connection.objects.filter(vehicle=OuterRef(vehicle), fleet=OuterRef("fleet"))
    return Exists(connections.exclude(state=ConnectionState.REMOVED))


def _names(
    rows: QuerySet[Any], field: str, words: Sequence[str], *, driving: int
) -> QuerySet[Any, dict[str, Any]]:
    for word in words:
        rows = rows.filter(**{f"{field}__icontains": word})
    named = rows.order_by().annotate(person=F(field), driving=Value(driving, output_field=IntegerField()))
    names: QuerySet[Any, dict[str, Any]] = named.values("person", "driving").distinct()
    return names
