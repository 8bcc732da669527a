"""Charging and service records as tables, ready for the template.

The places of charging stay in the signal's body, where the driver's privacy rules apply to them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vehicles import catalogue, formatting
from vehicles.models import LatestSignal
from vehicles.units import Unit
from webhooks.parsing.times import parse_time

MOST_ROWS = 50
Record = Mapping[str, Any]
Cell = Callable[[Record, str], str]


@dataclass(frozen=True, slots=True)
class RecordTable:
    """The newest records, with only the columns that any of them has. `left_out` is the number of older ones."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: int


def build_table(row: LatestSignal, *, units: str) -> RecordTable | None:
    """Returns the table of a signal with records, or None for any other signal and without records.

    `units` is the unit system.
    """
    table = _TABLES.get(row.code)
    records = [each for each in (row.body or {}).get("values", []) if isinstance(each, Mapping)]
    if table is None or not records:
        return None
    time, columns = table
    records.sort(key=lambda record: str(record.get(time) or ""), reverse=True)
    cells = [[cell(record, units) for _header, cell in columns] for record in records[:MOST_ROWS]]
    used = [at for at in range(len(columns)) if any(line[at] for line in cells)]
    return RecordTable(
        headers=[str(columns[at][0]) for at in used],
        rows=[[line[at] or "–" for at in used] for line in cells],
        left_out=max(0, len(records) - MOST_ROWS),
    )


def _time(key: str) -> Cell:
    def cell(record: Record, units: str) -> str:
        moment = parse_time(record.get(key))
        return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT") if moment else ""

    return cell


def _text(key: str) -> Cell:
    return lambda record, units: str(record.get(key) or "")


def _quantity(key: str, unit: Unit) -> Cell:
    def cell(record: Record, units: str) -> str:
        value = record.get(key)
        return formatting.quantity(value, unit, units=units) if _is_number(value) else ""

    return cell


def _levels(record: Record, units: str) -> str:
    """Returns the states of charge at the start and at the end: "20% → 80%"."""
    start, end = (record.get(key) for key in ("startStateOfCharge", "endStateOfCharge"))
    if start is None and end is None:
        return ""
    shown = [
        "?" if level is None else formatting.quantity(level, Unit.PERCENT, units=units)
        for level in (start, end)
    ]
    return " → ".join(shown)


def _charger(record: Record, units: str) -> str:
    condition = record.get("condition") or {}
    current = record.get("chargingType") or condition.get("chargingType")
    connector = record.get("connectorType") or condition.get("connectorType")
    public = record.get("isPublicCharger")
    kind = "" if public is None else gettext("public") if public else gettext("private")
    return " · ".join(str(part) for part in (current, connector, kind) if part)


def _charging_cost(record: Record, units: str) -> str:
    cost = record.get("cost") or {}
    found = [cost.get(key) for key in ("energyAmount", "otherAmount")]
    amounts = [amount for amount in found if _is_number(amount)]
    return _money(sum(amounts), cost.get("currency")) if amounts else ""


def _service_cost(record: Record, units: str) -> str:
    cost = record.get("cost") or {}
    amount = cost.get("amount")
    return _money(amount, cost.get("currency")) if _is_number(amount) else ""


def _money(amount: float, currency: Any) -> str:
    return f"{number_format(amount, decimal_pos=2, force_grouping=True)} {currency or ''}".strip()


def _descriptions(key: str) -> Cell:
    def cell(record: Record, units: str) -> str:
        entries = [each for each in record.get(key) or [] if isinstance(each, Mapping)]
        return ", ".join(str(each["description"]) for each in entries if each.get("description"))

    return cell


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


_Table = tuple[str, Sequence[tuple[Promise, Cell]]]
# The key of the record's time, and the columns. The odometer of a service has no unit; Smartcar's default is km.
_TABLES: Mapping[str, _Table] = {
    catalogue.CHARGE_RECORDS.code: (
        "startTime",
        (
            (_("Start"), _time("startTime")),
            (_("End"), _time("endTime")),
            (_("Energy added"), _quantity("energyAdded", Unit.KILOWATT_HOUR)),
            (_("State of charge"), _levels),
            (_("Charger"), _charger),
            (_("Cost"), _charging_cost),
        ),
    ),
    catalogue.SERVICE_RECORDS.code: (
        "time",
        (
            (_("Date"), _time("time")),
            (_("Odometer"), _quantity("odometer", Unit.KILOMETRE)),
            (_("Work done"), _descriptions("tasks")),
            (_("Details"), _descriptions("details")),
            (_("Cost"), _service_cost),
        ),
    ),
}
