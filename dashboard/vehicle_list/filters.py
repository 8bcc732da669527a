"""What the fleet page shows of a fleet, as it stands in the page's address. No tables."""

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
    """The tiles: which cars are wanted."""

    ALL = ""
    CHARGING = "charging"
    LOW = "low"
    UNLOCKED = "unlocked"
    MOVING = "moving"
    STALE = "stale"
    ATTENTION = "attention"


class Column(StrEnum):
    """The columns that may be chosen; the car itself is always shown."""

    ENERGY = "energy"
    LOCK = "lock"
    PLACE = "place"
    ODOMETER = "odometer"
    HEARD = "heard"
    CONNECTION = "connection"
    DRIVER = "driver"
    GROUP = "group"


TITLES: Mapping[Column, Promise] = {
    Column.ENERGY: _("Battery or fuel"),
    Column.LOCK: _("Lock"),
    Column.PLACE: _("Location"),
    Column.ODOMETER: _("Odometer"),
    Column.HEARD: _("Last update"),
    Column.CONNECTION: _("Connection"),
    Column.DRIVER: _("Driver"),
    Column.GROUP: _("Group"),
}
DEFAULT_COLUMNS = (
    Column.ENERGY,
    Column.LOCK,
    Column.PLACE,
    Column.ODOMETER,
    Column.HEARD,
    Column.CONNECTION,
    Column.DRIVER,
)
# What a column is sorted by first: what needs a look comes first.
ORDERS = ("name", "energy", "lock", "odometer", "heard", "connection", "driver", "group")


@dataclass(frozen=True, slots=True)
class Filters:
    """Everything that the page's address says. What is not understood counts as not said.

    `search` is words of which each must be found in a car's name, plate, make, model, driver or VIN; `state` is one
    of ConnectionState; `sort` one of ORDERS, with "-" before it for the other way round; `page` counts from 1.
    `columns_said`: they stand in the address, as in a saved view, and are not this browser's own choice.
    """

    show: TileFilter = TileFilter.ALL
    search: str = ""
    make: str = ""
    group: str = ""
    state: str = ""
    sort: str = "name"
    page: int = 1
    columns: tuple[Column, ...] = DEFAULT_COLUMNS
    columns_said: bool = False

    @property
    def words(self) -> list[str]:
        return self.search.split()[:8]

    @property
    def narrowed(self) -> bool:
        """Whether cars may be left out."""
        return bool(self.show or self.search or self.make or self.group or self.state)

    @property
    def hidden(self) -> int:
        """How many filters stand in the drop-down."""
        return sum(map(bool, (self.make, self.group, self.state)))

    def to(self, **changes: object) -> "Filters":
        """The same with changes, on the first page unless that is what changes."""
        return replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]

    @property
    def query(self) -> str:
        """As it stands in an address: only what differs from the usual."""
        said = {
            "show": self.show.value,
            "q": self.search,
            "make": self.make,
            "group": self.group,
            "state": self.state,
            "sort": "" if self.sort == "name" else self.sort,
            "page": "" if self.page == 1 else str(self.page),
            "columns": ",".join(self.columns) if self.columns_said else "",
        }
        return urlencode({name: value for name, value in said.items() if value})


def parse_filters(query: Mapping[str, str], *, remembered: str = "") -> Filters:
    """The filters of an address; `remembered` are the columns that this browser chose last."""
    sort = query.get("sort", "")
    page = query.get("page", "")
    state = query.get("state", "")
    said = visible_columns(query.get("columns", "").split(","))
    return Filters(
        show=_one_of(TileFilter, query.get("show", "")) or TileFilter.ALL,
        search=" ".join(query.get("q", "")[:120].replace("\x00", "").split()),
        make=query.get("make", "")[:60].replace("\x00", ""),
        group=query.get("group", "")[:60].replace("\x00", ""),
        state=state if state in ConnectionState.values and state != ConnectionState.REMOVED else "",
        sort=sort if sort.removeprefix("-") in ORDERS else "name",
        page=int(page) if page.isascii() and page.isdigit() and 0 < int(page[:7]) < 10**6 else 1,
        columns=said or visible_columns(remembered.split(",")) or DEFAULT_COLUMNS,
        columns_said=bool(said),
    )


def visible_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """The columns of these names, in the order in which they are shown."""
    wanted = set(names)
    return tuple(column for column in Column if column.value in wanted)


def _one_of(kind: Callable[[str], TileFilter], name: str) -> TileFilter | None:
    try:
        return kind(name)
    except ValueError:
        return None
