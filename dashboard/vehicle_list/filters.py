"""The filters of the vehicles page, as represented in its URL. No database access."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connect.status.states import ConnectionState

PAGE_SIZE = 50
COLUMNS_COOKIE = "fleet_columns"


class TileFilter(StrEnum):
    """The tiles, each of which filters the vehicles."""

    ALL = ""
    CHARGING = "charging"
    LOW = "low"
    UNLOCKED = "unlocked"
    MOVING = "moving"
    STALE = "stale"
    ATTENTION = "attention"


class Column(StrEnum):
    """The selectable columns. The vehicle itself is always shown."""

    ATTENTION = "attention"
    MODEL = "model"
    ENERGY = "energy"
    LOCK = "lock"
    PLACE = "place"
    ODOMETER = "odometer"
    LAST_UPDATE = "heard"
    CONNECTION = "connection"
    DRIVER = "driver"
    GROUP = "group"


TITLES: Mapping[Column, Promise] = {
    Column.ATTENTION: _("Needs attention"),
    Column.MODEL: _("Model"),
    Column.ENERGY: _("Battery or fuel"),
    Column.LOCK: _("Lock"),
    Column.PLACE: _("Location"),
    Column.ODOMETER: _("Odometer"),
    Column.LAST_UPDATE: _("Last update"),
    Column.CONNECTION: _("Connection"),
    Column.DRIVER: _("Driver"),
    Column.GROUP: _("Group"),
}
DEFAULT_COLUMNS = (
    Column.ATTENTION,
    Column.MODEL,
    Column.ENERGY,
    Column.LOCK,
    Column.PLACE,
    Column.LAST_UPDATE,
    Column.DRIVER,
)
# The sort keys. Each is sorted first in the direction that puts vehicles needing attention on top.
ORDERS = (
    "name",
    "attention",
    "model",
    "energy",
    "lock",
    "odometer",
    "heard",
    "connection",
    "driver",
    "group",
)


@dataclass(frozen=True, slots=True)
class Filters:
    """All settings in the page's URL. Invalid values are ignored.

    `search` consists of words, each of which must occur in a vehicle's name, plate, make, model, driver or VIN; a plate
    is found with and without its spaces and hyphens. `state`
    is one of ConnectionState; `sort` one of ORDERS, with a leading "-" for descending order; `page` counts from 1.
    `explicit_columns` means that the columns come from the URL, as in a saved view, not from this browser's preference.
    """

    show: TileFilter = TileFilter.ALL
    search: str = ""
    make: str = ""
    group: str = ""
    state: str = ""
    sort: str = "name"
    page: int = 1
    columns: tuple[Column, ...] = DEFAULT_COLUMNS
    explicit_columns: bool = False

    @property
    def words(self) -> list[str]:
        return self.search.split()[:8]

    @property
    def is_filtered(self) -> bool:
        """Whether the filters may exclude vehicles."""
        return bool(self.show or self.search or self.make or self.group or self.state)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the tile may exclude vehicles. The tiles then count only what is left."""
        return bool(self.search or self.make or self.group or self.state)

    def to(self, **changes: object) -> "Filters":
        """Returns a copy with these changes, on the first page unless `page` is changed."""
        return replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]

    @property
    def query(self) -> str:
        """The query string, with only the values that differ from the defaults."""
        values = {
            "show": self.show.value,
            "q": self.search,
            "make": self.make,
            "group": self.group,
            "state": self.state,
            "sort": "" if self.sort == "name" else self.sort,
            "page": "" if self.page == 1 else str(self.page),
            "columns": ",".join(self.columns) if self.explicit_columns else "",
        }
        return urlencode({name: value for name, value in values.items() if value})


def parse_filters(query: Mapping[str, str], *, remembered: str = "") -> Filters:
    """Parses a URL's query. `remembered` contains the columns that this browser selected last."""
    sort = query.get("sort", "")
    page = query.get("page", "")
    state = query.get("state", "")
    columns = visible_columns(query.get("columns", "").split(","))
    return Filters(
        show=_parse_tile(TileFilter, query.get("show", "")) or TileFilter.ALL,
        search=" ".join(query.get("q", "")[:120].replace("\x00", "").split()),
        make=query.get("make", "")[:60].replace("\x00", ""),
        group=query.get("group", "")[:60].replace("\x00", ""),
        state=state if state in ConnectionState.values and state != ConnectionState.REMOVED else "",
        sort=sort if sort.removeprefix("-") in ORDERS else "name",
        page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) <= 6 else 1,
        columns=columns or visible_columns(remembered.split(",")) or DEFAULT_COLUMNS,
        explicit_columns=bool(columns),
    )


def visible_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Returns the columns with these names, in display order."""
    selected = set(names)
    return tuple(column for column in Column if column.value in selected)


def _parse_tile(kind: Callable[[str], TileFilter], name: str) -> TileFilter | None:
    try:
        return kind(name)
    except ValueError:
        return None
