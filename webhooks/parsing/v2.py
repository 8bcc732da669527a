"""Parses responses of the v2.0 endpoints into readings. They come from batches and legacy webhooks.

A table maps each path to the signals in its response. v2.0 bodies have no units: percentages are fractions, power is in
kilowatts, and lengths, volumes and pressures follow the SC-Unit-System header. Source: Smartcar documentation, the v2.0
endpoint pages and the make-specific endpoints.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from vehicles import catalogue
from vehicles.catalogue import Signal, find
from vehicles.observations import SignalError, SignalReading, SignalStatus
from vehicles.unit_judgment import settle_by_payload
from vehicles.units import Unit
from webhooks.parsing.fields import items, mapping, text, upper
from webhooks.parsing.signals import Times, observe, plausible_times, read_error
from webhooks.parsing.times import parse_time

Body = Mapping[str, Any]
SignalValues = Iterable[tuple[Signal, Any]]

_IMPERIAL: dict[Unit, Unit] = {
    Unit.KILOMETRE: Unit.MILE,
    Unit.KILOMETRE_PER_HOUR: Unit.MILE_PER_HOUR,
    Unit.LITRE: Unit.GALLON,
    Unit.KILOPASCAL: Unit.PSI,
    Unit.CELSIUS: Unit.FAHRENHEIT,
}
_PLACES: dict[str, tuple[int, int]] = {
    "frontLeft": (0, 0),
    "frontRight": (0, 1),
    "backLeft": (1, 0),
    "backRight": (1, 1),
}
_OPEN: dict[str, bool] = {"OPEN": True, "CLOSED": False}
_CHARGING: dict[str, bool] = {"CHARGING": True, "NOT_CHARGING": False, "FULLY_CHARGED": False}


@dataclass(frozen=True, slots=True)
class _Context:
    """Information from the headers of a response."""

    imperial: bool
    at: datetime | None

    def unit(self, unit: Unit) -> Unit:
        """Returns the unit of a number that follows the unit system."""
        return _IMPERIAL.get(unit, unit) if self.imperial else unit


Reader = Callable[[Body, _Context], SignalValues]


class _Path(NamedTuple):
    """How to parse a path's response, and the signals that failed if the path failed."""

    read: Reader
    signals: tuple[Signal, ...] = ()


def _fields(*fields: tuple[str, Signal, Unit | None]) -> _Path:
    """Returns a path whose response has one key per signal."""

    def read(body: Body, context: _Context) -> SignalValues:
        for key, signal, unit in fields:
            if key in body:
                value = {"value": body[key]}
                yield signal, value if unit is None else value | {"unit": context.unit(unit)}

    return _Path(read, tuple(signal for _, signal, _ in fields))


def _charge(body: Body, context: _Context) -> SignalValues:
    if "isPluggedIn" in body:
        yield catalogue.CABLE_CONNECTED, {"value": body["isPluggedIn"]}
    if "state" in body:
        state = upper(body["state"])
        yield catalogue.DETAILED_CHARGING_STATUS, {"value": state}
        yield catalogue.IS_CHARGING, {"value": _CHARGING.get(state)}


def _charge_limit(body: Body, context: _Context) -> SignalValues:
    limit = {"type": "GLOBAL", "limit": body.get("limit", body.get("socLimit"))}
    yield catalogue.CHARGE_LIMITS, {"values": [limit], "unit": Unit.FRACTION}


def _capacity(body: Body, context: _Context) -> SignalValues:
    """Both endpoints: the old one has a number, the newer one an object and the available capacities."""
    capacity = body.get("capacity")
    chosen = capacity if isinstance(capacity, Mapping) else {"nominal": capacity}
    value = {"capacity": chosen.get("nominal"), "source": chosen.get("source"), "unit": Unit.KILOWATT_HOUR}
    yield catalogue.NOMINAL_CAPACITY, value | {"availableCapacities": body.get("availableCapacities")}


def _location(body: Body, context: _Context) -> SignalValues:
    yield catalogue.PRECISE_LOCATION, body


def _tires(body: Body, context: _Context) -> SignalValues:
    values = [
        {"row": row, "column": column, "tirePressure": body[place]}
        for place, (row, column) in _PLACES.items()
        if place in body
    ]
    yield catalogue.TIRES, {"values": values, "unit": context.unit(Unit.KILOPASCAL)}


def _security(body: Body, context: _Context) -> SignalValues:
    if "isLocked" in body:
        yield catalogue.IS_LOCKED, {"value": body["isLocked"]}
    for key, signal in (("doors", catalogue.DOORS), ("windows", catalogue.WINDOWS)):
        if key in body:
            yield signal, {"values": list(_openings(body[key]))}
    yield from _compartments(body)


def _openings(raw: Any) -> Iterator[dict[str, Any]]:
    for entry in map(mapping, items(raw)):
        if place := _PLACES.get(text(entry.get("type"))):
            yield {"row": place[0], "column": place[1], "isOpen": _OPEN.get(upper(entry.get("status")))}


_COMPARTMENTS: dict[tuple[str, str], tuple[Signal, str]] = {
    ("sunroof", "sunroof"): (catalogue.SUNROOF, "isOpen"),
    ("storage", "front"): (catalogue.FRONT_TRUNK, "isOpen"),  # with an engine there: its hood
    ("storage", "rear"): (catalogue.REAR_TRUNK, "isOpen"),
    ("chargingPort", "chargingPort"): (catalogue.CHARGE_PORT_OPEN, "value"),
}


def _compartments(body: Body) -> SignalValues:
    for (key, kind), (signal, field) in _COMPARTMENTS.items():
        for entry in map(mapping, items(body.get(key))):
            if entry.get("type") == kind:
                yield signal, {field: _OPEN.get(upper(entry.get("status")))}


def _trouble_codes(body: Body, context: _Context) -> SignalValues:
    active = items(body.get("activeCodes"))
    yield catalogue.DTC_LIST, {"values": active}
    yield catalogue.DTC_COUNT, {"value": len(active)}


def _systems(body: Body, context: _Context) -> SignalValues:
    for system in map(mapping, items(body.get("systems"))):
        name = upper(system.get("systemId")).removeprefix("SYSTEM_").replace("_", "")
        signal = _SYSTEMS.get(name) or find(group=catalogue.MIL.group, name=name)
        if signal:
            yield signal, {"status": system.get("status"), "description": system.get("description")}


_SYSTEMS = {"TPMS": catalogue.TIRE_PRESSURE_MONITORING}


def _service(body: Body, context: _Context) -> SignalValues:
    records = items(body.get("records")) if "records" in body else [body]
    yield catalogue.SERVICE_RECORDS, {"values": [_service_record(mapping(record)) for record in records]}


def _service_record(record: Body) -> dict[str, Any]:
    cost = mapping(record.get("serviceCost"))
    return {
        "id": record.get("serviceId"),
        "time": record.get("serviceDate"),
        "odometer": record.get("odometerDistance"),
        "cost": {"amount": cost.get("totalCost"), "currency": cost.get("currency")},
        "tasks": [
            {"id": task.get("taskId"), "description": task.get("taskDescription")}
            for task in map(mapping, items(record.get("serviceTasks")))
        ],
        "details": [
            {"id": detail.get("type"), "description": detail.get("value")}
            for detail in map(mapping, items(record.get("serviceDetails")))
        ],
    }


def _completion(body: Body, context: _Context) -> SignalValues:
    """Converts the time of completion to the minutes remaining at the time of the reading."""
    if not {"completionTime", "time"} & body.keys():
        return
    done = parse_time(body.get("completionTime", body.get("time")))
    minutes = (done - context.at).total_seconds() / 60 if done and context.at else None
    if minutes is None or minutes >= 0:
        yield catalogue.TIME_TO_COMPLETE, {"value": minutes, "unit": Unit.MINUTE}


_MAKE_CHARGE_FIELDS = _fields(
    ("amperage", catalogue.AMPERAGE, Unit.AMPERE),
    ("amperageMaxCharger", catalogue.AMPERAGE_MAX, Unit.AMPERE),
    ("amperageRequested", catalogue.AMPERAGE_REQUESTED, Unit.AMPERE),
    ("wattage", catalogue.CHARGE_WATTAGE, Unit.KILOWATT),
    ("voltage", catalogue.CHARGE_VOLTAGE, Unit.VOLT),
    ("energyAdded", catalogue.ENERGY_ADDED, Unit.KILOWATT_HOUR),
    ("chargeRate", catalogue.CHARGE_RATE, Unit.KILOMETRE_PER_HOUR),
    ("connector", catalogue.CHARGING_CONNECTOR, None),
    ("fastChargerPresent", catalogue.FAST_CHARGER_PRESENT, None),
    ("fastChargerType", catalogue.FAST_CHARGER_TYPE, None),
    ("chargePortColor", catalogue.CHARGE_PORT_COLOR, None),
    ("chargePortOpen", catalogue.CHARGE_PORT_OPEN, None),
    ("chargerPhases", catalogue.CHARGER_PHASES, None),
)


def _make_charge(body: Body, context: _Context) -> SignalValues:
    yield from _charge(
        {"state": body["chargingStatus"], **body} if "chargingStatus" in body else body, context
    )
    yield from _MAKE_CHARGE_FIELDS.read(body, context)
    yield from _completion(body, context)
    if "socLimit" in body:
        yield from _charge_limit(body, context)


_battery = _fields(
    ("percentRemaining", catalogue.STATE_OF_CHARGE, Unit.FRACTION),
    ("range", catalogue.RANGE, Unit.KILOMETRE),
    ("heaterOn", catalogue.BATTERY_HEATER, None),
    ("maxRangeChargeCounter", catalogue.MAX_RANGE_CHARGE_COUNT, Unit.COUNT),
)

_PATHS: dict[str, _Path] = {
    "battery": _Path(_battery.read, (catalogue.STATE_OF_CHARGE, catalogue.RANGE)),
    "battery/capacity": _Path(_capacity, (catalogue.NOMINAL_CAPACITY,)),
    "battery/nominal_capacity": _Path(_capacity, (catalogue.NOMINAL_CAPACITY,)),
    "charge": _Path(
        _charge, (catalogue.CABLE_CONNECTED, catalogue.DETAILED_CHARGING_STATUS, catalogue.IS_CHARGING)
    ),
    "charge/limit": _Path(_charge_limit, (catalogue.CHARGE_LIMITS,)),
    "diagnostics/dtcs": _Path(_trouble_codes, (catalogue.DTC_LIST, catalogue.DTC_COUNT)),
    "diagnostics/system_status": _Path(_systems),
    "engine/oil": _fields(("lifeRemaining", catalogue.OIL_LIFE, Unit.FRACTION)),
    "fuel": _fields(
        ("percentRemaining", catalogue.FUEL_LEVEL, Unit.FRACTION),
        ("amountRemaining", catalogue.FUEL_REMAINING, Unit.LITRE),
        ("range", catalogue.FUEL_RANGE, Unit.KILOMETRE),
    ),
    "location": _Path(_location, (catalogue.PRECISE_LOCATION,)),
    "odometer": _fields(("distance", catalogue.ODOMETER, Unit.KILOMETRE)),
    "security": _Path(_security, (catalogue.IS_LOCKED,)),
    "service/history": _Path(_service, (catalogue.SERVICE_RECORDS,)),
    "tires/pressure": _Path(_tires, (catalogue.TIRES,)),
    "vin": _fields(("vin", catalogue.VIN, None)),
}
# Paths after a make, as in /tesla/charge. Such an endpoint contains many signals and differs by make, so its failure
# doesn't mean that a particular signal failed.
_MAKE_PATHS: dict[str, _Path] = {
    "attributes": _Path(
        _fields(
            ("firmwareVersion", catalogue.FIRMWARE, None),
            ("nickname", catalogue.NICKNAME, None),
            ("atHome", catalogue.IS_AT_HOME, None),
        ).read
    ),
    "battery": _Path(_battery.read),
    "charge": _Path(_make_charge),
    "charge/completion": _Path(_completion),
    "charge/voltmeter": _fields(("voltage", catalogue.CHARGE_VOLTAGE, Unit.VOLT)),
    "charge/wattmeter": _fields(("wattage", catalogue.CHARGE_WATTAGE, Unit.KILOWATT)),
    "speedometer": _fields(("speed", catalogue.SPEED, Unit.KILOMETRE_PER_HOUR)),
    "thermometer/exterior": _fields(("temperature", catalogue.EXTERNAL_TEMPERATURE, Unit.CELSIUS)),
    "thermometer/interior": _fields(("temperature", catalogue.INTERNAL_TEMPERATURE, Unit.CELSIUS)),
}


def read_answers(
    raw: Any, *, latest: datetime | None, unit_system: str = ""
) -> tuple[tuple[SignalReading, ...], tuple[str, ...]]:
    """Parses the responses `{path, code, body, headers}` for one vehicle.

    Returns the readings, and descriptions of the responses that could not be parsed. `latest` is the time of receipt.
    `unit_system` applies to responses without that header.
    """
    observations: list[SignalReading] = []
    skipped: list[str] = [] if raw is None or isinstance(raw, list) else ["answers: not a list"]
    for at, answer in enumerate(map(mapping, items(raw))):
        path = _find_path(text(answer.get("path")))
        if path is None:
            skipped.append(f"answer {at}: unknown path")
        elif _failed(answer) and not path.signals:
            skipped.append(f"answer {at}: the endpoint failed")
        else:
            observations += _read_answer(path, answer, latest=latest, unit_system=unit_system)
    return settle_by_payload(observations), tuple(skipped)


def find_attributes(raw: Any) -> Body:
    """Returns the body of the response for the vehicle itself (path "/": make, model, year), empty without one."""
    for answer in map(mapping, items(raw)):
        if answer.get("path") == "/" and not _failed(answer):
            return mapping(answer.get("body"))
    return {}


def _find_path(path: str) -> _Path | None:
    generic = path.strip("/")
    return _PATHS.get(generic) or _MAKE_PATHS.get(generic.partition("/")[2])


def _failed(answer: Body) -> bool:
    return answer.get("code") is not None and answer.get("code") != 200


def _read_answer(
    path: _Path, answer: Body, *, latest: datetime | None, unit_system: str
) -> Iterator[SignalReading]:
    headers = {key.lower(): value for key, value in mapping(answer.get("headers")).items()}
    times = _read_times(headers, latest=latest)
    if _failed(answer):
        yield from _failures(path, read_error(answer.get("body")), times)
        return
    context = _Context(
        imperial=(text(headers.get("sc-unit-system")) or unit_system).lower() == "imperial",
        at=times.retrieved_at or times.oem_updated_at or latest,
    )
    body = answer.get("body")
    content = {"records": body} if isinstance(body, list) else mapping(body)
    for signal, value in path.read(content, context):
        yield observe(signal.code, value, times=times)


def _failures(path: _Path, error: SignalError, times: Times) -> Iterator[SignalReading]:
    for signal in path.signals:
        yield observe(signal.code, None, status=SignalStatus.ERROR, error=error, times=times)


def _read_times(headers: Body, *, latest: datetime | None) -> Times:
    updated, retrieved = parse_time(headers.get("sc-data-age")), parse_time(headers.get("sc-fetched-at"))
    return plausible_times(updated, retrieved, None, latest)
