"""The context of the vehicles page: tiles, headers, rows and pagination, with their URLs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.permissions import Permission, has_permission
from connect.status.states import ConnectionState
from core import pubsub
from dashboard.vehicle_list import saved_views, selectors
from dashboard.vehicle_list.filters import PAGE_SIZE, TITLES, Column, Filters, TileFilter, parse_filters
from dashboard.vehicle_list.rows import Row, build_rows
from dashboard.vehicle_list.saved_models import SavedView
from vehicles.makes import make_name

# The most urgent first.
_TILES: Mapping[TileFilter, tuple[Promise, str]] = {
    TileFilter.ATTENTION: (_("Needs attention"), "bad"),
    TileFilter.LOW: (_("Low battery"), "bad"),
    TileFilter.UNLOCKED: (_("Unlocked"), "warn"),
    TileFilter.STALE: (_("Not reporting"), "warn"),
    TileFilter.CHARGING: (_("Charging"), ""),
    TileFilter.MOVING: (_("Moving"), ""),
    TileFilter.ALL: (_("All vehicles"), ""),
}
# Columns that are sorted in descending order first.
_DESCENDING_FIRST = frozenset({Column.ATTENTION, Column.ODOMETER, Column.LAST_UPDATE})


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
class Chip:
    """An active filter that can be removed. `field` is the ID of its form field; `query` is the query without it."""

    field: str
    label: str
    query: str


@dataclass(frozen=True, slots=True)
class ViewTab:
    """A view above the list: all vehicles, or a saved one."""

    label: str
    query: str
    current: bool


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
    vins = may_search_vins(membership)
    counts = selectors.count_vehicles(fleet=fleet, now=now, filters=filters, vins=vins)
    filters, rows, total = _page(membership, filters, now)
    columns = _shown_columns(filters, counts)
    views = list(saved_views.list_views(membership=membership))
    return {
        "fleet": fleet,
        "filters": filters,
        "counts": counts,
        "tiles": build_tiles(counts=counts, filters=filters),
        "tabs": _tabs(filters, views),
        "chips": _chips(filters),
        "headers": _headers(filters, columns),
        "columns": columns,
        "rows": rows,
        "pager": _pager(filters, len(rows), total),
        "choices": _choices(counts),
        "all_columns": [(column, TITLES[column], column in filters.columns) for column in Column],
        "saved_views": [(view, saved_views.can_delete(membership=membership, view=view)) for view in views],
        "map_query": filters.to(sort="name", explicit_columns=False).query,
        "live_query": _live_query(columns, rows, offset),
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


def _shown_columns(filters: Filters, counts: selectors.VehicleCounts) -> tuple[Column, ...]:
    """Returns the chosen columns, without those that are empty for the whole fleet."""
    empty = {
        Column.ATTENTION: not counts.any_attention,
        Column.CONNECTION: not set(counts.states) - {ConnectionState.ACTIVE},
        Column.DRIVER: not counts.any_driver,
        Column.GROUP: not counts.groups,
    }
    return tuple(column for column in filters.columns if not empty.get(column))


def _tabs(filters: Filters, views: Sequence[SavedView]) -> list[ViewTab]:
    here = filters.to().query
    tabs = [ViewTab(view.name, view.query, _is_same(view.query, here)) for view in views]
    whole = ViewTab(
        gettext("All vehicles"), "", not filters.is_filtered and not any(tab.current for tab in tabs)
    )
    return [whole, *tabs]


def _is_same(query: str, other: str) -> bool:
    return parse_filters(QueryDict(query)).query == other


def _chips(filters: Filters) -> list[Chip]:
    state = str(ConnectionState(filters.state).label) if filters.state else ""
    chips = (
        ("", "show", str(_TILES[filters.show][0]) if filters.show else ""),
        ("search", "search", f"“{filters.search}”" if filters.search else ""),
        ("filter-make", "make", make_name(filters.make) if filters.make else ""),
        ("filter-group", "group", filters.group),
        ("filter-state", "state", state),
    )
    cleared = {"show": TileFilter.ALL}
    return [
        Chip(field, label, filters.to(**{name: cleared.get(name, "")}).query)
        for field, name, label in chips
        if label
    ]


def _headers(filters: Filters, columns: Sequence[Column]) -> list[Header]:
    named = [("name", gettext("Vehicle")), *((column, str(TITLES[column])) for column in columns)]
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


def _live_query(columns: Sequence[Column], rows: list[Row], offset: str) -> str:
    shown = ",".join(str(row.vehicle.id) for row in rows)
    return f"since={offset}&rows={shown}&columns={','.join(columns)}"


def address(*, slug: str, query: str) -> str:
    """Returns the URL of the vehicles page with these filters."""
    return f"{reverse('dashboard:vehicles', args=[slug])}{'?' if query else ''}{query}"
