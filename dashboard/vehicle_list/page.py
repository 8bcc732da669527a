"""The context of the vehicles page: tiles, headers, rows and pagination, with their URLs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.permissions import Permission, has_permission
from connect.status.states import ConnectionState
from core import pubsub
from dashboard.vehicle_list import saved_views, selectors
from dashboard.vehicle_list.filters import PAGE_SIZE, TITLES, Column, Filters, TileFilter
from dashboard.vehicle_list.rows import Row, build_rows
from vehicles.makes import make_name

_TILES: Mapping[TileFilter, tuple[Promise, str]] = {
    TileFilter.ALL: (_("All vehicles"), ""),
    TileFilter.CHARGING: (_("Charging"), "good"),
    TileFilter.LOW: (_("Low battery"), "bad"),
    TileFilter.UNLOCKED: (_("Unlocked"), "warn"),
    TileFilter.MOVING: (_("Moving"), ""),
    TileFilter.STALE: (_("Not reporting"), "warn"),
    TileFilter.ATTENTION: (_("Needs attention"), "bad"),
}
# Columns that are sorted in descending order first.
_DESCENDING_FIRST = frozenset({Column.ODOMETER, Column.LAST_UPDATE})


@dataclass(frozen=True, slots=True)
class Tile:
    """A count that works as a filter. Pressing the current tile shows all vehicles."""

    show: TileFilter
    label: str
    count: int
    tone: str
    current: bool
    query: str


@dataclass(frozen=True, slots=True)
class Header:
    """A column header. `order` is "ascending" or "descending" if the rows are sorted by this column."""

    name: str
    title: str
    order: str
    query: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a select field."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Pager:
    """Which vehicles are shown, counted from 1, and the queries of the previous and next page; "" if there is none."""

    first: int
    last: int
    total: int
    before: str
    after: str


def may_search_vins(membership: Membership) -> bool:
    """Whether the member may see VINs: those who may connect vehicles."""
    return has_permission(membership=membership, right=Permission.CONNECT)


def page_context(*, membership: Membership, filters: Filters, now: datetime) -> dict[str, Any]:
    """Returns the context of dashboard/vehicle_list/page.html and dashboard/vehicle_list/list.html."""
    fleet = membership.fleet
    offset = pubsub.current_offset(fleet_id=fleet.pk)
    counts = selectors.count_vehicles(fleet=fleet, now=now)
    filters, rows, total = _page(membership, filters, now)
    return {
        "fleet": fleet,
        "filters": filters,
        "counts": counts,
        "tiles": build_tiles(counts=counts, filters=filters),
        "headers": _headers(filters),
        "columns": filters.columns,
        "rows": rows,
        "pager": _pager(filters, len(rows), total),
        "choices": _choices(counts),
        "all_columns": [(column, TITLES[column], column in filters.columns) for column in Column],
        "saved_views": [
            (view, saved_views.can_delete(membership=membership, view=view))
            for view in saved_views.list_views(membership=membership)
        ],
        "map_query": filters.to(sort="name", explicit_columns=False).query,
        "live_query": _live_query(filters, rows, offset),
        "may_connect": has_permission(membership=membership, right=Permission.CONNECT),
        "may_command": has_permission(membership=membership, right=Permission.COMMAND),
    }


def build_tiles(*, counts: selectors.VehicleCounts, filters: Filters) -> list[Tile]:
    """Returns the tiles above the table. Each tile's query retains the other filters."""
    return [
        Tile(
            show=show,
            label=str(label),
            count=counts.by_tile[show],
            tone=tone,
            current=filters.show == show,
            query=filters.to(show=TileFilter.ALL if filters.show == show else show).query,
        )
        for show, (label, tone) in _TILES.items()
    ]


def _page(membership: Membership, filters: Filters, now: datetime) -> tuple[Filters, list[Row], int]:
    """Returns the rows; those of the last page if the requested page is beyond it."""
    fleet, vins = membership.fleet, may_search_vins(membership)
    found, total = selectors.list_page(fleet=fleet, filters=filters, now=now, vins=vins)
    if not found and filters.page > 1:
        total = selectors.count_matching(fleet=fleet, filters=filters, now=now, vins=vins)
        filters = filters.to(page=max(1, ceil(total / PAGE_SIZE)))
        found, total = selectors.list_page(fleet=fleet, filters=filters, now=now, vins=vins)
    return filters, build_rows(fleet=fleet, vehicles=found, now=now), total


def _headers(filters: Filters) -> list[Header]:
    named = [("name", gettext("Vehicle")), *((column, str(TITLES[column])) for column in filters.columns)]
    return [_header(name, title, filters) for name, title in named]


def _header(name: str, title: str, filters: Filters) -> Header:
    if name == Column.PLACE:
        return Header(name, title, "", "")
    current = filters.sort.removeprefix("-") == name
    descending = filters.sort.startswith("-")
    # Selecting the column again reverses the order.
    descend = not descending if current else name in _DESCENDING_FIRST
    sort = f"-{name}" if descend else name
    order = ("descending" if descending else "ascending") if current else ""
    return Header(name, title, order, filters.to(sort=sort).query)


def _pager(filters: Filters, shown: int, total: int) -> Pager:
    first = (filters.page - 1) * PAGE_SIZE + 1 if shown else 0
    last = first + shown - 1 if shown else 0
    return Pager(
        first=first,
        last=last,
        total=total,
        before=filters.to(page=filters.page - 1).query or "page=1" if filters.page > 1 else "",
        after=filters.to(page=filters.page + 1).query if last < total else "",
    )


def _choices(counts: selectors.VehicleCounts) -> dict[str, list[Choice]]:
    return {
        "makes": [Choice(make, make_name(make)) for make in counts.makes],
        "groups": [Choice(group, group) for group in counts.groups],
        "states": [Choice(state, str(ConnectionState(state).label)) for state in counts.states],
    }


def _live_query(filters: Filters, rows: list[Row], offset: str) -> str:
    shown = ",".join(str(row.vehicle.id) for row in rows)
    return f"since={offset}&rows={shown}&columns={','.join(filters.columns)}"


def address(*, slug: str, query: str) -> str:
    """Returns the URL of the vehicles page with these filters."""
    return f"{reverse('dashboard:vehicles', args=[slug])}{'?' if query else ''}{query}"
