"""The v2 read endpoints: their signals and response bodies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator import units
from simulator.clock import iso
from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.simulation import Simulation
from simulator.units import IMPERIAL

Body = dict[str, Any] | list[Any]

CORNERS = {(0, 0): "frontLeft", (0, 1): "frontRight", (1, 0): "backLeft", (1, 1): "backRight"}


@dataclass(slots=True)
class Reader:
    """Reads one vehicle for one request, and remembers the age of the data."""

    simulation: Simulation
    connection: Connection
    system: str
    query: dict[str, str] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)

    def signal(self, code: str) -> dict[str, Any]:
        """Return the body of a signal.

        Raises:
            ApiError: The vehicle or the manufacturer doesn't provide it.
        """
        reading = self.simulation.feed.read(self.connection, code)
        if reading.error:
            url = self.simulation.reauthenticate_url(self.connection.vehicle_id)
            raise ApiError(*reading.error, url=url)
        if reading.body is None:
            raise ApiError("UPSTREAM", "INVALID_DATA")
        if reading.oem_updated_at:
            self.ages.append(reading.oem_updated_at)
        return reading.body

    def maybe(self, code: str) -> dict[str, Any] | None:
        """Return the body of a signal, or None if the vehicle has none."""
        try:
            return self.signal(code)
        except ApiError:
            return None

    def value(self, code: str) -> Any:
        """Return the value of a signal.

        Raises:
            ApiError: The vehicle or the manufacturer doesn't provide it.
        """
        return self.signal(code)["value"]

    def distance(self, km: float) -> float:
        """Return a distance in the unit system of the request."""
        return units.miles(km) if self.system == IMPERIAL else km

    def headers(self) -> dict[str, str]:
        """Return the headers with the data's age and units."""
        now = self.simulation.now()
        return {
            "sc-data-age": iso(max(self.ages, default=now)),
            "sc-fetched-at": iso(now),
            "sc-unit-system": self.system,
        }


@dataclass(frozen=True, slots=True)
class Read:
    """One endpoint: its permission, and the function that makes its body."""

    permission: str
    body: Callable[[Reader], Body]


def _attributes(reader: Reader) -> Body:
    vehicle = reader.simulation.fleet.vehicles[reader.connection.vehicle_id]
    return {"id": vehicle.id, "make": vehicle.make, "model": vehicle.model, "year": vehicle.year}


def _battery(reader: Reader) -> Body:
    return {
        "percentRemaining": round(reader.value("tractionbattery-stateofcharge") / 100, 4),
        "range": reader.distance(reader.value("tractionbattery-range")),
    }


def _capacity(reader: Reader) -> Body:
    body = reader.signal("tractionbattery-nominalcapacity")
    if body.get("capacity") is None:
        raise ApiError("SERVER", "MULTIPLE_RECORDS_FOUND")
    return {"capacity": body["capacity"]}


def _nominal_capacity(reader: Reader) -> Body:
    body = reader.signal("tractionbattery-nominalcapacity")
    available = [
        {"capacity": each.get("capacity"), "description": each.get("description")}
        for each in body.get("availableCapacities", [])
    ]
    capacity = body.get("capacity")
    known = None if capacity is None else {"nominal": capacity, "source": body.get("source")}
    open_question = capacity is None or body.get("source") == "USER_SELECTED"
    url = reader.simulation.capacity_url(reader.connection.vehicle_id) if open_question else None
    return {"availableCapacities": available, "capacity": known, "url": url}


def _charge(reader: Reader) -> Body:
    plugged = reader.value("charge-ischargingcableconnected")
    detailed = reader.maybe("charge-detailedchargingstatus")
    charging = reader.maybe("charge-ischarging")
    state = detailed["value"] if detailed else None
    if state not in ("CHARGING", "FULLY_CHARGED", "NOT_CHARGING"):
        state = "CHARGING" if charging and charging["value"] else "NOT_CHARGING"
    return {"isPluggedIn": plugged, "state": state}


def _charge_limit(reader: Reader) -> Body:
    body = reader.signal("charge-chargelimits")
    limit = body.get("activeLimit")
    if limit is None:
        everywhere = [each["limit"] for each in body["values"] if each["type"].upper() == "GLOBAL"]
        if not everywhere:
            raise ApiError("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED")
        limit = everywhere[0]
    return {"limit": round(limit / 100, 2)}


def _fuel(reader: Reader) -> Body:
    level = reader.maybe("internalcombustionengine-fuellevel")
    amount = reader.maybe("internalcombustionengine-amountremaining")
    reach = reader.maybe("internalcombustionengine-range")
    if level is None and amount is None and reach is None:
        reader.signal("internalcombustionengine-fuellevel")
    liters = amount["value"] if amount else None
    if liters is not None and reader.system == IMPERIAL:
        liters = units.gallons(liters)
    return {
        "percentRemaining": round(level["value"] / 100, 4) if level else None,
        "amountRemaining": liters,
        "range": reader.distance(reach["value"]) if reach else None,
    }


def _oil(reader: Reader) -> Body:
    return {"lifeRemaining": round(reader.value("internalcombustionengine-oillife") / 100, 4)}


def _location(reader: Reader) -> Body:
    body = reader.signal("location-preciselocation")
    return {"latitude": body["latitude"], "longitude": body["longitude"]}


def _odometer(reader: Reader) -> Body:
    return {"distance": reader.distance(reader.value("odometer-traveleddistance"))}


def _tires(reader: Reader) -> Body:
    body = reader.signal("wheel-tires")
    pressures: dict[str, Any] = {}
    for each in body["values"]:
        corner = CORNERS.get((each["row"], each["column"]))
        if corner:
            kpa = each["tirePressure"]
            pressures[corner] = units.psi(kpa) if reader.system == IMPERIAL and kpa is not None else kpa
    return pressures


def _open(body: dict[str, Any] | None) -> str:
    is_open = body.get("isOpen") if body else None
    return "UNKNOWN" if is_open is None else ("OPEN" if is_open else "CLOSED")


def _openings(body: dict[str, Any] | None) -> list[dict[str, str]]:
    return [
        {"type": CORNERS[each["row"], each["column"]], "status": _open(each)}
        for each in (body or {}).get("values", [])
        if (each["row"], each["column"]) in CORNERS
    ]


def _security(reader: Reader) -> Body:
    locked = reader.value("closure-islocked")
    front, rear = reader.maybe("closure-fronttrunk"), reader.maybe("closure-reartrunk")
    front = front or reader.maybe("closure-enginecover")
    sunroof, flap = reader.maybe("closure-sunroof"), reader.maybe("charge-ischargingportflapopen")
    lids = [("rear", rear), ("front", front)]
    port = {"isOpen": flap["value"]} if flap else None
    return {
        "isLocked": locked,
        "doors": _openings(reader.maybe("closure-doors")),
        "windows": _openings(reader.maybe("closure-windows")),
        "sunroof": [{"type": "sunroof", "status": _open(sunroof)}] if sunroof else [],
        "storage": [{"type": place, "status": _open(lid)} for place, lid in lids if lid],
        "chargingPort": [{"type": "chargingPort", "status": _open(port)}] if port else [],
    }


def _vin(reader: Reader) -> Body:
    return {"vin": reader.value("vehicleidentification-vin")}


# System ids from the documentation's list that have a signal of their own.
SYSTEMS = {
    "SYSTEM_ABS": "diagnostics-abs",
    "SYSTEM_ACTIVE_SAFETY": "diagnostics-activesafety",
    "SYSTEM_AIRBAG": "diagnostics-airbag",
    "SYSTEM_BRAKE_FLUID": "diagnostics-brakefluid",
    "SYSTEM_DRIVER_ASSISTANCE": "diagnostics-driverassistance",
    "SYSTEM_EMISSIONS": "diagnostics-emissions",
    "SYSTEM_EV_BATTERY_CONDITIONING": "diagnostics-evbatteryconditioning",
    "SYSTEM_EV_CHARGING": "diagnostics-evcharging",
    "SYSTEM_EV_DRIVE_UNIT": "diagnostics-evdriveunit",
    "SYSTEM_EV_HV_BATTERY": "diagnostics-evhvbattery",
    "SYSTEM_LIGHTING": "diagnostics-lighting",
    "SYSTEM_MIL": "diagnostics-mil",
    "SYSTEM_OIL_LIFE": "diagnostics-oillife",
    "SYSTEM_OIL_PRESSURE": "diagnostics-oilpressure",
    "SYSTEM_OIL_TEMPERATURE": "diagnostics-oiltemperature",
    "SYSTEM_TELEMATICS": "diagnostics-telematics",
    "SYSTEM_TIRE_PRESSURE": "diagnostics-tirepressure",
    "SYSTEM_TPMS": "diagnostics-tirepressuremonitoring",
    "SYSTEM_TRANSMISSION": "diagnostics-transmission",
    "SYSTEM_WASHER_FLUID": "diagnostics-washerfluid",
    "SYSTEM_WATER_IN_FUEL": "diagnostics-waterinfuel",
}


def _system_status(reader: Reader) -> Body:
    systems = []
    for system, code in SYSTEMS.items():
        body = reader.maybe(code)
        if body:
            systems.append(
                {"systemId": system, "status": body["status"], "description": body.get("description")}
            )
    if not systems:
        reader.signal("diagnostics-mil")
    return {"systems": systems}


def _trouble_codes(reader: Reader) -> Body:
    codes = reader.signal("diagnostics-dtclist")["values"]
    return {"activeCodes": [{"code": each["code"], "timestamp": each.get("timestamp")} for each in codes]}


def _date(query: dict[str, str], *names: str) -> str:
    """Return a date of the query under any of its names. The Node SDK sends ``undefined`` for none."""
    dates = [query[name] for name in names if query.get(name, "")[:1].isdecimal()]
    return dates[0] if dates else ""


def _service_history(reader: Reader) -> Body:
    start = _date(reader.query, "startDate", "start_date")
    end = _date(reader.query, "endDate", "end_date") or "9999"
    records = reader.signal("service-records")["values"]
    times = [(str(each.get("time", "")), each) for each in records]
    return [
        _service_record(reader, each) for time, each in times if start <= time and time[: len(end)] <= end
    ]


def _service_record(reader: Reader, record: dict[str, Any]) -> dict[str, Any]:
    cost = record.get("cost") or {}
    odometer = record.get("odometer")
    return {
        "serviceId": record.get("id"),
        "odometerDistance": odometer if odometer is None else reader.distance(odometer),
        "serviceDate": record.get("time"),
        "serviceTasks": record.get("tasks", []),
        "serviceDetails": record.get("details", []),
        "serviceCost": {"totalCost": cost.get("amount"), "currency": cost.get("currency")},
    }


READS: dict[str, Read] = {
    "": Read("read_vehicle_info", _attributes),
    "battery": Read("read_battery", _battery),
    "battery/capacity": Read("read_battery", _capacity),
    "battery/nominal_capacity": Read("read_battery", _nominal_capacity),
    "charge": Read("read_charge", _charge),
    "charge/limit": Read("read_charge", _charge_limit),
    "diagnostics/dtcs": Read("read_diagnostics", _trouble_codes),
    "diagnostics/system_status": Read("read_diagnostics", _system_status),
    "engine/oil": Read("read_engine_oil", _oil),
    "fuel": Read("read_fuel", _fuel),
    "location": Read("read_location", _location),
    "odometer": Read("read_odometer", _odometer),
    "security": Read("read_security", _security),
    "service/history": Read("read_service_history", _service_history),
    "tires/pressure": Read("read_tires", _tires),
    "vin": Read("read_vin", _vin),
}
