"""Queries of the vehicles page.

The database filters, counts and sorts, so that a page of rows costs the same for a hundred vehicles and for ten
thousand.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.models import Fleet, User
from alerts.models import LOW_BATTERY
from connect.status.states import DEGRADED, USABLE, ConnectionState
from dashboard.vehicle_list.attention import (
    BATTERY,
    REASONS_SQL,
    UNLOCKED_LONG,
    may_see_badge,
    open_alerts_sql,
    unwanted_reasons,
)
from dashboard.vehicle_list.filters import PAGE_SIZE, Filters, TileFilter
from vehicles import catalogue
from vehicles.current_state import current_sql
from vehicles.energy import drives_on_fuel_sql, level_sql

# A vehicle counts as stale if it hasn't reported for this long: its lock status and location should be newer.
STALE = timedelta(hours=2)
NO_RECENT_DATA = timedelta(hours=48)
_LARGEST_ID = 2**63 - 1  # of a bigint

_CHARGING_NOW = current_sql(catalogue.IS_CHARGING, at="now.charging_at", failed="now.charging_failed")
_LOCKED_NOW = current_sql(catalogue.IS_LOCKED, at="now.locked_at", failed="now.locked_failed")
_SPEED_NOW = current_sql(catalogue.SPEED, at="now.speed_at", failed="now.speed_failed")

_ON_FUEL = drives_on_fuel_sql(vehicle="vehicle", snapshot="now")
_LEVEL = level_sql(vehicle="vehicle", snapshot="now")


_SELECTED = "(%(ids)s::bigint[] IS NULL OR vehicle_id = ANY(%(ids)s::bigint[]))"


def _vehicles_sql(*, fleets: str = "%(fleets)s", selected: str = _SELECTED, first: str = "") -> str:
    """Returns common table expressions, the last of which, `vehicle`, has a row for each connected vehicle.

    `fleets` is SQL for an array, `selected` a condition on `vehicle_id`, and `first` has further expressions. Of
    several drivers' connections to a vehicle, the best usable one counts, and the newest among equals.
    """
    return f"""
    WITH {first}link AS (
        SELECT DISTINCT ON (vehicle_id) vehicle_id, id, state, smartcar_user_id
        FROM connect_connection
        WHERE fleet_id = ANY({fleets}) AND state <> %(removed)s
              AND {selected}
        ORDER BY vehicle_id, array_position(%(alive)s::text[], state::text) NULLS LAST, created_at DESC
    ), page AS (
        SELECT DISTINCT ON (fleet_id, smartcar_user_id) fleet_id, smartcar_user_id, driver_name
        FROM connect_driverpage
        WHERE fleet_id = ANY({fleets}) AND smartcar_user_id IN (SELECT smartcar_user_id FROM link)
        ORDER BY fleet_id, smartcar_user_id, created_at DESC
    ), alert AS ({open_alerts_sql(fleets)}
    ), known AS (
        SELECT vehicle.id, vehicle.fleet_id, vehicle.smartcar_id, vehicle.name, vehicle.plate, vehicle.vin,
               vehicle.make, vehicle.model, vehicle.year, vehicle.powertrain, vehicle."group", vehicle.last_seen_at,
               coalesce(nullif(vehicle.driver, ''), page.driver_name, '') AS driver,
               link.id AS connection_id, link.state, link.state = ANY(%(degraded)s) AS degraded,
               now.charge, now.charge_at, now.fuel, now.fuel_at, now.fuel_liters, now.fuel_liters_at,
               {_ON_FUEL} AS on_fuel,
               CASE WHEN {_ON_FUEL} THEN coalesce(now.fuel_range_km, nullif(now.range_km, 0))
                    ELSE coalesce(now.range_km, now.fuel_range_km) END AS range_km,
               coalesce(now.charging AND {_CHARGING_NOW}, false) AS charging,
               CASE WHEN {_LOCKED_NOW} THEN now.locked END AS locked, now.locked AS last_locked, now.locked_at,
               now.latitude, now.longitude, now.heading, now.place_at,
               coalesce(now.speed > 0 AND {_SPEED_NOW}, false) AS moving,
               now.odometer_km, now.odometer_at,
               {_LEVEL} AS level,
               coalesce({_LEVEL} < coalesce(rules.low_battery, %(low)s), false)
                   AND NOT coalesce(now.charging AND {_CHARGING_NOW}, false) AS low,
               coalesce('{BATTERY}' = ANY(rules.kinds), true) AS low_alerts,
               now.unlocked_since, alert.open AS open_alerts, alert.acknowledged,
               vehicle.last_seen_at IS NULL OR vehicle.last_seen_at < %(stale_since)s AS stale,
               coalesce(nullif(vehicle.name, ''), concat_ws(' ', vehicle.make, vehicle.model, vehicle.year)) AS title
        FROM vehicles_vehicle AS vehicle
        JOIN link ON link.vehicle_id = vehicle.id
        LEFT JOIN vehicles_summary AS now ON now.vehicle_id = vehicle.id
        LEFT JOIN page ON page.smartcar_user_id = link.smartcar_user_id AND page.fleet_id = vehicle.fleet_id
        LEFT JOIN alert ON alert.vehicle_id = vehicle.id
        LEFT JOIN alerts_fleetrules AS rules ON rules.fleet_id = vehicle.fleet_id
        WHERE vehicle.fleet_id = ANY({fleets})
    ), vehicle AS (
        SELECT known.*, {REASONS_SQL} AS reasons FROM known
    )
"""  # noqa: S608


_VEHICLES = _vehicles_sql()
_FLEETS_OF_USER = "ARRAY(SELECT fleet_id FROM accounts_membership WHERE user_id = %(user)s)"
# Judging only vehicles that may need attention takes a fraction of the time, and every page does it.
_CANDIDATES = """candidate AS (
        SELECT vehicle_id AS id FROM connect_connection
        WHERE fleet_id = ANY({fleets}) AND state = ANY(%(degraded)s)
        UNION SELECT vehicle_id FROM alerts_notice
        WHERE fleet_id = ANY({fleets}) AND ended_at IS NULL AND acknowledged_at IS NULL
        UNION SELECT vehicle.id FROM vehicles_vehicle AS vehicle
        JOIN vehicles_summary AS now ON now.vehicle_id = vehicle.id
        LEFT JOIN alerts_fleetrules AS rules ON rules.fleet_id = vehicle.fleet_id
        WHERE vehicle.fleet_id = ANY({fleets}) AND (
            least(now.charge, now.fuel) < coalesce(rules.low_battery, %(low)s)
            OR now.unlocked_since < %(unlocked_since)s)
    ), """
_FIELDS = (
    *("id", "smartcar_id", "name", "plate", "make", "model", "year", "powertrain", "group", "last_seen_at"),
    *(
        "driver",
        "connection_id",
        "state",
        "degraded",
        "charge",
        "charge_at",
        "fuel",
        "fuel_at",
        "fuel_liters",
    ),
    *("fuel_liters_at", "on_fuel", "level", "range_km"),
    *("charging", "locked", "last_locked", "locked_at"),
    *("latitude", "longitude", "heading", "place_at", "moving"),
    *("odometer_km", "odometer_at", "stale", "low", "unlocked_since", "reasons"),
)
_ATTENTION = "cardinality(reasons) > 0"
_TILE_CONDITIONS: Mapping[TileFilter, str] = {
    TileFilter.CHARGING: "charging",
    TileFilter.LOW: "low",
    TileFilter.UNLOCKED: "locked IS FALSE",
    TileFilter.MOVING: "moving",
    TileFilter.STALE: "stale",
    TileFilter.ATTENTION: _ATTENTION,
}
_ORDERS: Mapping[str, str] = {
    "name": "lower(title)",
    "attention": "cardinality(reasons)",
    "model": "nullif(lower(concat_ws(' ', make, model, year)), '')",
    "energy": "level",
    "lock": "locked",
    "odometer": "odometer_km",
    "heard": "last_seen_at",
    "connection": "array_position(%(worst_first)s::text[], state::text)",
    "driver": "nullif(lower(driver), '')",
    "group": "nullif(lower(\"group\"), '')",
}
_WORST_FIRST = [*DEGRADED, ConnectionState.PENDING, ConnectionState.ACTIVE]
# Drivers and authorities write the same plate with and without them.
_PLATE_SEPARATORS = " -.·_/"
_PLAIN_PLATE = f"translate(lower(plate), '{_PLATE_SEPARATORS}', '')"
_RANK = f"""
    CASE WHEN lower(title) = %(exactly)s OR {_PLAIN_PLATE} = %(exact_plate)s THEN 0
         WHEN lower(title) LIKE %(first_words)s THEN 1 WHEN lower(title) LIKE %(beginning)s THEN 2 ELSE 3 END
"""
_MARK = """
    CASE WHEN moving THEN 'moving' WHEN locked IS FALSE THEN 'unlocked' WHEN charging THEN 'charging'
         WHEN stale THEN 'stale' ELSE 'parked' END
"""


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """One vehicle as queried. Percentages are 0-100, distances are in km, and unknown values are None.

    `level` is that of what the vehicle drives on: its tank if `on_fuel`, else its battery (vehicles.energy).
    `low` is whether that is below the fleet's threshold and the vehicle isn't charging; `reasons` are the codes of why
    it needs attention (dashboard.vehicle_list.attention). `charging`, `locked` and `moving` are current states
    (vehicles.current_state); `last_locked` is the last known lock state, as of `locked_at`.

    The location may be one that the driver hides at the moment (dashboard.vehicle_list.rows removes it).
    """

    id: int
    smartcar_id: str
    name: str
    plate: str
    make: str
    model: str
    year: int | None
    powertrain: str
    group: str
    last_seen_at: datetime | None
    driver: str
    connection_id: int
    state: str
    degraded: bool
    charge: float | None
    charge_at: datetime | None
    fuel: float | None
    fuel_at: datetime | None
    fuel_liters: float | None
    fuel_liters_at: datetime | None
    on_fuel: bool
    level: float | None
    range_km: float | None
    charging: bool
    locked: bool | None
    last_locked: bool | None
    locked_at: datetime | None
    latitude: float | None
    longitude: float | None
    heading: float | None
    place_at: datetime | None
    moving: bool
    odometer_km: float | None
    odometer_at: datetime | None
    stale: bool
    low: bool
    unlocked_since: datetime | None
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class VehicleCounts:
    """The number of vehicles for each tile, and what the whole fleet has: available filter options, and columns."""

    by_tile: Mapping[TileFilter, int]
    total: int
    any_attention: bool
    any_driver: bool
    makes: list[str]
    groups: list[str]
    states: list[str]


@dataclass(frozen=True, slots=True)
class Position:
    """A vehicle on the map: degrees, heading clockwise from north, and the marker for its state."""

    id: int
    latitude: float
    longitude: float
    heading: float | None
    mark: str


def count_vehicles(*, fleet: Fleet, now: datetime, filters: Filters, vins: bool) -> VehicleCounts:
    """Counts the vehicles for each tile that match all filters except the tile."""
    where, params = _where(filters.to(show=TileFilter.ALL), vins=vins)
    tiles = [
        f"count(*) FILTER (WHERE {_TILE_CONDITIONS.get(show, 'true')} AND {where})" for show in TileFilter
    ]
    fleet_wide = f"count(*), coalesce(bool_or({_ATTENTION}), false), coalesce(bool_or(driver <> ''), false)"
    choices = ", ".join(
        f"coalesce(array_agg(DISTINCT {column}) FILTER (WHERE {column} <> ''), '{{}}')"
        for column in ("make", '"group"', "state")
    )
    statement = f"{_VEHICLES} SELECT {', '.join(tiles)}, {fleet_wide}, {choices} FROM vehicle"  # noqa: S608
    (row,) = _rows(statement, _params(fleet, now) | params)
    *numbers, total, any_attention, any_driver, makes, groups, states = row
    return VehicleCounts(
        by_tile=dict(zip(TileFilter, numbers, strict=True)),
        total=total,
        any_attention=any_attention,
        any_driver=any_driver,
        makes=sorted(makes, key=str.lower),
        groups=sorted(groups, key=str.lower),
        states=[state for state in _WORST_FIRST if state in states],
    )


def count_attention(*, user: User, fleet: Fleet | None, now: datetime) -> int:
    """Returns how many vehicles need attention: the number on the user's badge. One query.

    Counts one fleet, or all fleets of the user, without what the user's preferences exclude.
    """
    fleets = "%(fleets)s" if fleet else _FLEETS_OF_USER
    vehicles = _vehicles_sql(
        fleets=fleets,
        selected="vehicle_id IN (SELECT id FROM candidate)",
        first=_CANDIDATES.format(fleets=fleets),
    )
    statement = f"""{vehicles}
        SELECT member.role, preference.in_bell, vehicle.reasons, count(*)
        FROM vehicle
        JOIN accounts_membership AS member ON member.fleet_id = vehicle.fleet_id AND member.user_id = %(user)s
        LEFT JOIN alerts_memberchoice AS preference ON preference.membership_id = member.id
        WHERE {_ATTENTION}
        GROUP BY 1, 2, 3
    """  # noqa: S608
    rows = _rows(statement, _params(fleet, now) | {"user": user.pk})
    return sum(
        count
        for role, in_app, reasons, count in rows
        if may_see_badge(role) and not unwanted_reasons(role=role, in_app=in_app).issuperset(reasons)
    )


def list_page(*, fleet: Fleet, filters: Filters, now: datetime, vins: bool) -> tuple[list[VehicleRow], int]:
    """Returns the vehicles on the filters' page, and the number of all matches. VINs are searched if `vins` is set."""
    where, params = _where(filters, vins=vins)
    statement = f"""{_VEHICLES}
        SELECT {_selected()}, count(*) OVER () FROM vehicle WHERE {where}
        ORDER BY {_order(filters)} LIMIT {PAGE_SIZE} OFFSET {(filters.page - 1) * PAGE_SIZE}
    """  # noqa: S608
    rows = _rows(statement, _params(fleet, now) | params)
    return [VehicleRow(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def count_matching(*, fleet: Fleet, filters: Filters, now: datetime, vins: bool) -> int:
    """Returns the number of matching vehicles."""
    where, params = _where(filters, vins=vins)
    statement = f"{_VEHICLES} SELECT count(*) FROM vehicle WHERE {where}"  # noqa: S608
    return int(_rows(statement, _params(fleet, now) | params)[0][0])


def get_vehicles(*, fleet: Fleet, vehicle_ids: Collection[int], now: datetime) -> list[VehicleRow]:
    """Returns these vehicles of the fleet, in no particular order."""
    statement = f"{_VEHICLES} SELECT {_selected()} FROM vehicle"  # noqa: S608
    return [VehicleRow(*row) for row in _rows(statement, _params(fleet, now, vehicle_ids))]


def list_positions(
    *, fleet: Fleet, filters: Filters, now: datetime, vins: bool, vehicle_ids: Collection[int] | None = None
) -> list[Position]:
    """Returns the locations of matching vehicles, optionally only of these IDs, including those that drivers hide."""
    where, params = _where(filters, vins=vins)
    statement = f"""{_VEHICLES}
        SELECT id, latitude, longitude, heading, {_MARK} FROM vehicle
        WHERE latitude IS NOT NULL AND longitude IS NOT NULL AND {where}
    """  # noqa: S608
    return [Position(*row) for row in _rows(statement, _params(fleet, now, vehicle_ids) | params)]


def matching_ids(*, fleet: Fleet, filters: Filters, now: datetime, vins: bool, most: int) -> list[str]:
    """Returns the Smartcar IDs of the matching vehicles, in the page's order."""
    where, params = _where(filters, vins=vins)
    order = _order(filters)
    statement = f"{_VEHICLES} SELECT smartcar_id FROM vehicle WHERE {where} ORDER BY {order} LIMIT {most}"  # noqa: S608
    return [row[0] for row in _rows(statement, _params(fleet, now) | params)]


def _selected() -> str:
    return ", ".join(f'"{field}"' for field in _FIELDS)


def _where(filters: Filters, *, vins: bool) -> tuple[str, dict[str, Any]]:
    conditions = ["true"]
    params: dict[str, Any] = {}
    if filters.show:
        conditions.append(_TILE_CONDITIONS[filters.show])
    for column, value in (("make", filters.make), ('"group"', filters.group), ("state", filters.state)):
        if value:
            name = column.strip('"')
            conditions.append(f"{column} = %({name})s")
            params[name] = value
    searched = ("name", "plate", "make", "model", "driver", *(["vin"] if vins else []))
    for number, word in enumerate(filters.words):
        found = f"concat_ws(' ', {', '.join(searched)}) ILIKE %(word{number})s"
        params[f"word{number}"] = f"%{_literal(word)}%"
        if plate := _plain_plate(word):
            found += f" OR {_PLAIN_PLATE} LIKE %(plate{number})s"
            params[f"plate{number}"] = f"%{_literal(plate)}%"
        conditions.append(f"({found})")
    searched_text = filters.search.lower()
    params |= {
        "exactly": searched_text,
        "exact_plate": _plain_plate(searched_text) or None,
        "first_words": f"{_literal(searched_text)} %",
        "beginning": f"{_literal(searched_text)}%",
    }
    return " AND ".join(conditions), params


def _plain_plate(text: str) -> str:
    """Returns the text as plates are compared: in lower case, without separators."""
    return text.lower().translate(str.maketrans("", "", _PLATE_SEPARATORS))


def _literal(word: str) -> str:
    """Escapes the word for a LIKE pattern."""
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _order(filters: Filters) -> str:
    sort = filters.sort
    # Without an order of the user's choice, what is exactly the searched name or plate comes first.
    rank = f"{_RANK}, " if filters.search and sort == "name" else ""
    direction = "DESC" if sort.startswith("-") else "ASC"
    # Vehicles that never reported sort as the oldest. Other unknown values come last in both directions.
    nulls = "FIRST" if sort == "heard" else "LAST"
    return f"{rank}{_ORDERS[sort.removeprefix('-')]} {direction} NULLS {nulls}, lower(title), id"


def _params(fleet: Fleet | None, now: datetime, vehicle_ids: Collection[int] | None = None) -> dict[str, Any]:
    return {
        "ids": None if vehicle_ids is None else [pk for pk in vehicle_ids if pk <= _LARGEST_ID],
        "fleets": [fleet.pk] if fleet else [],
        "removed": ConnectionState.REMOVED.value,
        "alive": [state.value for state in USABLE],
        "degraded": [state.value for state in DEGRADED],
        "worst_first": [state.value for state in _WORST_FIRST],
        "now": now,
        "stale_since": now - STALE,
        "unlocked_since": now - UNLOCKED_LONG,
        "low": LOW_BATTERY,
    }


def _rows(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())
