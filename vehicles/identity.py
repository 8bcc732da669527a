"""What deliveries say about a vehicle itself: VIN, nickname, make, model, year and powertrain."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.db import connection
from django.db.models import Q

from vehicles import catalogue
from vehicles.makes import make_key
from vehicles.models import Vehicle
from vehicles.models.vehicles import MAKE_LENGTH, MODEL_LENGTH, POWERTRAIN_LENGTH
from vehicles.observations import VehicleFacts

Columns = Mapping[str, str | int | None]
_SIGNALS = {catalogue.VIN.code: "vin", catalogue.NICKNAME.code: "nickname"}
_STORE_FROM_SIGNALS = """
    UPDATE vehicles_vehicle AS vehicle
    SET vin = coalesce(left(row.vin, 17), vehicle.vin),
        name = CASE WHEN vehicle.name = '' AND NOT vehicle.name_entered
            THEN coalesce(left(row.nickname, 80), '') ELSE vehicle.name END
    FROM json_to_recordset(%s::json) AS row (id bigint, vin text, nickname text)
    WHERE vehicle.id = row.id AND (
        vehicle.vin <> left(row.vin, 17)
        OR (vehicle.name = '' AND NOT vehicle.name_entered AND row.nickname <> '')
    )
"""
_LACKS = {"make": Q(make=""), "model": Q(model=""), "year": Q(year=None), "powertrain": Q(powertrain="")}


def columns_of(facts: VehicleFacts) -> Columns:
    """Returns make, model, year and powertrain as columns of `Vehicle`, cut to their length.

    Smartcar sends makes and powertrains in any case; they are stored in capitals.
    """
    powertrain = facts.powertrain.upper()
    return {
        "make": make_key(facts.make)[:MAKE_LENGTH],
        "model": facts.model[:MODEL_LENGTH],
        "year": facts.year,
        "powertrain": powertrain if len(powertrain) <= POWERTRAIN_LENGTH else "",
    }


def fill_missing_facts(facts: Mapping[int, VehicleFacts]) -> None:
    """Stores what these vehicles' rows lack, by vehicle ID. What they have is retained.

    Runs inside the caller's transaction, before other locks are taken: the rows are locked in order of ID.
    """
    lacking = Vehicle.objects.filter(
        _LACKS["make"] | _LACKS["model"] | _LACKS["year"] | _LACKS["powertrain"], pk__in=facts
    )
    wanted = {
        pk: columns
        for pk in lacking.values_list("pk", flat=True)
        if any((columns := columns_of(facts[pk])).values())
    }
    if not wanted:
        return
    # All of the batch, since later locks must be a subset of these: otherwise, concurrent batches could deadlock.
    vehicles = Vehicle.objects.filter(pk__in=facts).order_by("pk").select_for_update(no_key=True)
    for vehicle in vehicles:
        columns = wanted.get(vehicle.pk, {})
        filled = {name: value for name, value in columns.items() if value and not getattr(vehicle, name)}
        if filled:
            Vehicle.objects.filter(pk=vehicle.pk).update(**filled)


def learn_from_signals(values: Iterable[tuple[int, str, Mapping[str, Any]]]) -> None:
    """Stores VIN and nickname from new values (vehicle ID, code, body).

    A name that a member entered or cleared is retained.
    """
    learned: dict[int, dict[str, int | str]] = {}
    for vehicle_id, code, body in values:
        column, value = _SIGNALS.get(code), body.get("value")
        if column is not None and isinstance(value, str):
            learned.setdefault(vehicle_id, {"id": vehicle_id})[column] = value
    if learned:
        with connection.cursor() as cursor:
            cursor.execute(_STORE_FROM_SIGNALS, [orjson.dumps(list(learned.values())).decode()])
