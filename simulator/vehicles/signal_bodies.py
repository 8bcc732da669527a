"""Signal bodies: a vehicle's state in the form of the documentation's "Signals" pages. Metric, with units."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from simulator.vehicles.catalogue import SignalCode
from simulator.vehicles.energy import power_at
from simulator.vehicles.history import charge_records, iso, service_records
from simulator.vehicles.incidents import TROUBLE_CODES
from simulator.vehicles.signal import Signal
from simulator.vehicles.state_snapshot import StateSnapshot

if TYPE_CHECKING:
    from simulator.vehicles.vehicle import Vehicle

Body = dict[str, Any]
_COMPASS: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def signal(vehicle: Vehicle, entry: SignalCode, state: StateSnapshot, *, at: float) -> Signal:
    """Return one signal of a vehicle that reported ``state`` at clock time ``at``."""
    if not vehicle.supports(entry.code):
        error = ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
        return Signal(entry.code, entry.group, entry.name, None, None, error)
    body = build_body(vehicle, entry, state)
    unreachable = ("VEHICLE_STATE", "ASLEEP") if state.deep and vehicle.rules.deep_sleep_after else None
    return Signal(entry.code, entry.group, entry.name, body, at, unreachable)


def build_body(vehicle: Vehicle, entry: SignalCode, state: StateSnapshot) -> Body:
    """Return the body of a signal that the vehicle supports."""
    builder = _BUILDERS.get(entry.code)
    return builder(vehicle, state) if builder else _diagnosis(entry.name, state)


def _value(value: Any, unit: str | None = None) -> Body:
    return {"value": value} if unit is None else {"value": value, "unit": unit}


def _diagnosis(name: str, state: StateSnapshot) -> Body:
    alert = name in state.faults or (name == "TirePressure" and min(state.tires) < 195.0)
    alert = alert or (
        name == "MIL" and any(TROUBLE_CODES.get(fault, "")[:1] == "P" for fault in state.faults)
    )
    return {"status": "ALERT", "description": f"{name} needs attention"} if alert else {"status": "OK"}


# Charge


def _volts(state: StateSnapshot) -> int:
    return 0 if not state.charging else 400 if state.fast else 240


def _kw(state: StateSnapshot) -> float:
    return power_at(state.soc, kw=state.kw, fast=state.fast) if state.charging else 0.0


def _amperes(state: StateSnapshot) -> int:
    return round(_kw(state) * 1000 / _volts(state)) if state.charging else 0


def _limits(vehicle: Vehicle, state: StateSnapshot) -> Body:
    limit = round(state.limit)
    return {
        "values": [{"type": "GLOBAL", "limit": limit, "condition": None}],
        "activeLimit": limit if state.plugged else None,
        "unit": "percent",
    }


def _charge_state(state: StateSnapshot) -> str:
    if state.charging:
        return "CHARGING"
    return "FULLY_CHARGED" if state.plugged and state.soc >= state.limit - 0.5 else "NOT_CHARGING"


def _connector(vehicle: Vehicle, state: StateSnapshot) -> str:
    slow, fast = vehicle.rules.ports
    return fast if state.plugged and state.fast else slow


def _port_color(state: StateSnapshot) -> str:
    return "GREEN" if state.charging else "BLUE" if state.plugged else "OFF"


def _rate(vehicle: Vehicle, state: StateSnapshot) -> float:
    model = vehicle.identity.model
    return round(_kw(state) / model.battery * model.range_km, 1)


def _minutes_left(state: StateSnapshot) -> int:
    return round(max(0.0, state.charge_ends - state.at) / 60) if state.charging else 0


# Closures


def _grid(vehicle: Vehicle, opened: frozenset[tuple[int, int]], **more: Any) -> Body:
    rows, columns = vehicle.identity.model.doors
    values = [
        {"row": row, "column": column, "isOpen": (row, column) in opened, **more}
        for row in range(rows)
        for column in range(columns)
    ]
    return {"values": values, "rowCount": rows, "columnCount": columns}


def _doors(vehicle: Vehicle, state: StateSnapshot) -> Body:
    body = _grid(vehicle, state.doors)
    for door in body["values"]:
        door["isLocked"] = state.locked and not door["isOpen"]
    return body


def _lid(is_open: bool, state: StateSnapshot) -> Body:
    return {"isOpen": is_open, "isLocked": state.locked and not is_open}


def _location(vehicle: Vehicle, state: StateSnapshot) -> Body:
    if vehicle.rules.last_parked and state.driving:
        latitude, longitude = state.parked
        return {"latitude": latitude, "longitude": longitude, "locationType": "LAST_PARKED"}
    return {
        "latitude": state.latitude,
        "longitude": state.longitude,
        "heading": state.heading,
        "direction": _COMPASS[round(state.heading / 45) % 8],
        "locationType": "LAST_PARKED" if vehicle.rules.last_parked else "CURRENT",
    }


def _tires(state: StateSnapshot) -> Body:
    values = [
        {"row": wheel // 2, "column": wheel % 2, "tirePressure": pressure}
        for wheel, pressure in enumerate(state.tires)
    ]
    return {"values": values, "rowCount": 2, "columnCount": 2, "unit": "kPa"}


def _range(vehicle: Vehicle, state: StateSnapshot) -> int:
    return round(state.soc / 100 * vehicle.identity.model.range_km)


def _fuel_range(vehicle: Vehicle, state: StateSnapshot) -> int:
    model = vehicle.identity.model
    return round(state.fuel / 100 * model.tank / model.economy * 100)


def _capacity(vehicle: Vehicle, state: StateSnapshot) -> Body:
    """Return the battery capacity. For models with several batteries only the driver knows it."""
    known = len(vehicle.capacities) == 1
    return {
        "capacity": vehicle.capacities[0] if known else None,
        "source": "SMARTCAR" if known else None,
        "availableCapacities": [
            {"capacity": kwh, "description": f"{vehicle.powertrain}:{kwh:g}"} for kwh in vehicle.capacities
        ],
        "unit": "kWh",
    }


def _oil_life(state: StateSnapshot) -> int:
    return round(100 - state.odometer % 12_000 / 125)


def _low_voltage(state: StateSnapshot) -> int:
    return 96 if state.driving or state.charging else 62 if state.deep else 88


def _trouble_list(vehicle: Vehicle, state: StateSnapshot) -> Body:
    clock_time = vehicle.lifecycle.plan_clock.clock_time
    return {
        "values": [
            {"code": TROUBLE_CODES[name], "timestamp": iso(clock_time(since))}
            for name, since in zip(state.faults, state.faults_since, strict=True)
        ]
    }


def _permissions(vehicle: Vehicle) -> list[str]:
    return ["vehicle_device_data", "vehicle_location", "vehicle_cmds", "vehicle_charging_cmds"]


_BUILDERS: Final[dict[str, Callable[[Vehicle, StateSnapshot], Body]]] = {
    "charge-amperage": lambda vehicle, s: _value(_amperes(s), "ampere"),
    "charge-amperagemax": lambda vehicle, s: _value(
        round(vehicle.identity.model.ac_kw * 1000 / 240), "ampere"
    ),
    "charge-amperagerequested": lambda vehicle, s: _value(_amperes(s), "ampere"),
    "charge-chargelimits": _limits,
    "charge-chargeportstatuscolor": lambda vehicle, s: _value(_port_color(s)),
    "charge-chargerate": lambda vehicle, s: _value(_rate(vehicle, s), "km/h"),
    "charge-chargerecords": lambda vehicle, s: {
        "values": charge_records(vehicle.lifecycle, ports=vehicle.rules.ports, moment=s.at)
    },
    "charge-chargetimers": lambda vehicle, s: {"values": [schedule.body() for schedule in s.schedules]},
    "charge-chargerphases": lambda vehicle, s: _value(1 if s.charging and not s.fast else 0),
    "charge-chargingconnectortype": lambda vehicle, s: _value(_connector(vehicle, s)),
    "charge-detailedchargingstatus": lambda vehicle, s: _value(_charge_state(s)),
    "charge-energyadded": lambda vehicle, s: _value(round(s.energy_added, 2), "kWh"),
    "charge-fastchargertype": lambda vehicle, s: _value(
        vehicle.rules.ports[1] if s.plugged and s.fast else "NONE"
    ),
    "charge-ischarging": lambda vehicle, s: _value(s.charging),
    "charge-ischargingcableconnected": lambda vehicle, s: _value(s.plugged),
    "charge-ischargingcablelatched": lambda vehicle, s: _value(s.plugged),
    "charge-ischargingportflapopen": lambda vehicle, s: _value(s.port),
    "charge-isfastchargerpresent": lambda vehicle, s: _value(s.plugged and s.fast),
    "charge-timetocomplete": lambda vehicle, s: _value(_minutes_left(s), "minute"),
    "charge-voltage": lambda vehicle, s: _value(_volts(s), "volts"),
    "charge-wattage": lambda vehicle, s: _value(round(_kw(s) * 1000), "watts"),
    "climate-externaltemperature": lambda vehicle, s: _value(s.outside, "celsius"),
    "climate-internaltemperature": lambda vehicle, s: _value(s.cabin, "celsius"),
    "closure-doors": _doors,
    "closure-enginecover": lambda vehicle, s: {"isOpen": s.hood},
    "closure-fronttrunk": lambda vehicle, s: _lid(s.frunk, s),
    "closure-islocked": lambda vehicle, s: _value(s.locked),
    "closure-reartrunk": lambda vehicle, s: _lid(s.trunk, s),
    "closure-sunroof": lambda vehicle, s: {"isOpen": s.sunroof},
    "closure-tailgate": lambda vehicle, s: _lid(s.trunk, s),
    "closure-windows": lambda vehicle, s: _grid(vehicle, s.windows),
    "connectivitysoftware-currentfirmwareversion": lambda vehicle, s: _value(vehicle.identity.firmware),
    "connectivitystatus-isasleep": lambda vehicle, s: _value(s.asleep),
    "connectivitystatus-isdigitalkeypaired": lambda vehicle, s: _value(s.digital_key),
    "connectivitystatus-isonline": lambda vehicle, s: _value(s.reachable and not s.deep),
    "diagnostics-dtccount": lambda vehicle, s: _value(len(s.faults), "count"),
    "diagnostics-dtclist": lambda vehicle, s: _trouble_list(vehicle, s),
    "hvac-cabintargettemperature": lambda vehicle, s: _value(21.5, "celsius"),
    "hvac-iscabinhvacactive": lambda vehicle, s: _value(s.climate),
    "hvac-isfrontdefrosteractive": lambda vehicle, s: _value(s.climate and s.outside < 7.0),
    "hvac-isreardefrosteractive": lambda vehicle, s: _value(s.climate and s.outside < 7.0),
    "hvac-issteeringheateractive": lambda vehicle, s: _value(s.climate and s.outside < 10.0),
    "internalcombustionengine-amountremaining": lambda vehicle, s: _value(
        round(s.fuel / 100 * vehicle.identity.model.tank, 1), "liters"
    ),
    "internalcombustionengine-fuellevel": lambda vehicle, s: _value(round(s.fuel, 1), "percent"),
    "internalcombustionengine-oillife": lambda vehicle, s: _value(_oil_life(s), "percent"),
    "internalcombustionengine-range": lambda vehicle, s: _value(_fuel_range(vehicle, s), "km"),
    "location-isathome": lambda vehicle, s: _value(s.at_base),
    "location-preciselocation": _location,
    "lowvoltagebattery-stateofcharge": lambda vehicle, s: _value(_low_voltage(s), "percent"),
    "lowvoltagebattery-status": lambda vehicle, s: _value("WARN" if s.deep else "GOOD"),
    "motion-currentspeed": lambda vehicle, s: _value(s.speed, "kph"),
    "odometer-traveleddistance": lambda vehicle, s: _value(round(s.odometer, 1), "km"),
    "service-isinservice": lambda vehicle, s: _value(s.in_service),
    "service-records": lambda vehicle, s: {
        "values": service_records(vehicle.lifecycle, odometer=s.odometer, moment=s.at)
    },
    "surveillance-brand": lambda vehicle, s: _value(
        "Sentry Mode" if vehicle.make == "TESLA" else "Gear Guard"
    ),
    "surveillance-isenabled": lambda vehicle, s: _value(not s.driving and not s.at_base and s.locked),
    "tractionbattery-isheateractive": lambda vehicle, s: _value(s.charging and s.outside < 8.0),
    "tractionbattery-maxrangechargecounter": lambda vehicle, s: _value(int(s.odometer // 2_500), "count"),
    "tractionbattery-nominalcapacity": _capacity,
    "tractionbattery-range": lambda vehicle, s: _value(_range(vehicle, s), "km"),
    "tractionbattery-stateofcharge": lambda vehicle, s: _value(round(s.soc, 1), "percent"),
    "transmission-drivemode": lambda vehicle, s: {
        "canonical": "NORMAL",
        "oemDisplayName": "Standard" if vehicle.make == "TESLA" else "All-Purpose",
    },
    "transmission-gearstate": lambda vehicle, s: _value("DRIVE" if s.driving else "PARK"),
    "vehicleidentification-exteriorcolor": lambda vehicle, s: _value(vehicle.identity.color),
    "vehicleidentification-nickname": lambda vehicle, s: _value(vehicle.identity.nickname),
    "vehicleidentification-packages": lambda vehicle, s: {"values": [f"{vehicle.identity.trim} Package"]},
    "vehicleidentification-trim": lambda vehicle, s: _value(vehicle.identity.trim),
    "vehicleidentification-vin": lambda vehicle, s: _value(vehicle.vin),
    "vehicleuseraccount-permissions": lambda vehicle, s: {"values": _permissions(vehicle)},
    "vehicleuseraccount-role": lambda vehicle, s: _value("Owner"),
    "wheel-style": lambda vehicle, s: _value(
        f"{vehicle.identity.trim} {18 + vehicle.identity.index % 3} inch"
    ),
    "wheel-tires": lambda vehicle, s: _tires(s),
}
