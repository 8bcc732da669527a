"""Patches for open fleet pages, built once for all pages when vehicles change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.models import Fleet
from dashboard.vehicle_list import positions, selectors
from dashboard.vehicle_list.filters import Column, Filters, TileFilter
from dashboard.vehicle_list.rows import Row, build_rows
from vehicles.zones import known_zone


@dataclass(frozen=True, slots=True)
class RenderVariant:
    """What the HTML of rows depends on. Pages with the same variant show the same HTML for a vehicle."""

    language: str
    columns: tuple[Column, ...]
    may_command: bool
    may_connect: bool


@dataclass(frozen=True, slots=True)
class Patch:
    """What changed on the vehicles page.

    `vehicles` are map features (dashboard.vehicle_list.positions), `gone` the IDs to remove from the map, `counts` the
    numbers on the tiles, and `rows` the table rows as HTML by variant and vehicle.
    """

    vehicles: list[positions.MapFeature]
    gone: list[int]
    counts: Mapping[str, int]
    rows: Mapping[tuple[RenderVariant, int], str] = field(default_factory=dict)


def build_patch(
    *,
    fleet_id: int,
    vehicle_ids: Collection[int],
    shown: Mapping[RenderVariant, Collection[int]],
    now: datetime,
) -> Patch | None:
    """Returns the patch for these vehicles, with rows that a page shows; None if the fleet no longer exists."""
    fleet = Fleet.objects.filter(pk=fleet_id).first()
    if fleet is None:
        return None
    vehicles = positions.map_features(
        fleet=fleet, filters=Filters(), now=now, vins=False, vehicle_ids=vehicle_ids
    )
    counts = selectors.count_vehicles(fleet=fleet, now=now, filters=Filters(), vins=False)
    return Patch(
        vehicles=vehicles,
        gone=sorted(set(vehicle_ids) - {vehicle[0] for vehicle in vehicles}),
        counts={show.value or "all": counts.by_tile[show] for show in TileFilter},
        rows=_rows(fleet, vehicle_ids, shown, now),
    )


def _rows(
    fleet: Fleet, vehicle_ids: Collection[int], shown: Mapping[RenderVariant, Collection[int]], now: datetime
) -> dict[tuple[RenderVariant, int], str]:
    shown_ids = set().union(*shown.values()) & set(vehicle_ids) if shown else set()
    if not shown_ids:
        return {}
    found = selectors.get_vehicles(fleet=fleet, vehicle_ids=shown_ids, now=now)
    html: dict[tuple[RenderVariant, int], str] = {}
    with timezone.override(known_zone(fleet.time_zone)):
        for variant, ids in shown.items():
            # Place names and ages are in the reader's language, so rows are built with it.
            with translation.override(variant.language):
                rows = build_rows(
                    fleet=fleet, vehicles=[vehicle for vehicle in found if vehicle.id in ids], now=now
                )
                html |= {(variant, row.vehicle.id): _row(fleet, row, variant) for row in rows}
    return html


def _row(fleet: Fleet, row: Row, variant: RenderVariant) -> str:
    context = {
        "fleet": fleet,
        "row": row,
        "columns": variant.columns,
        "may_command": variant.may_command,
        "may_connect": variant.may_connect,
    }
    return render_to_string("dashboard/vehicle_list/row.html", context)
