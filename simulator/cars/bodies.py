"""Signal bodies: a car's state in the words of the documentation's "Signals" pages. Metric, with units."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from simulator.cars.catalogue import SignalCode
from simulator.cars.energy import power_at
from simulator.cars.history import charge_records, iso, service_records
from simulator.cars.incidents import TROUBLE_CODES
from simulator.cars.observing import State
from simulator.cars.signal import Signal

if TYPE_CHECKING:
    from simulator.cars.car import Car

Body = dict[str, Any]
_COMPASS: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def signal(car: Car, entry: SignalCode, state: State) -> Signal:
    """One signal of a car that last reported ``state``."""
    if not car.supports(entry.code):
        error = ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
        return Signal(entry.code, entry.group, entry.name, None, None, error)
    body = body_of(car, entry, state)
    unreachable = ("VEHICLE_STATE", "ASLEEP") if state.deep and car.rules.deep_sleep_after else None
    return Signal(entry.code, entry.group, entry.name, body, state.at, unreachable)


def body_of(car: Car, entry: SignalCode, state: State) -> Body:
    """The body of a signal that the car supports."""
    writer = _WRITERS.get(entry.code)
    return writer(car, state) if writer else _diagnosis(entry.name, state)


def _value(value: Any, unit: str | None = None) -> Body:
    return {"value": value} if unit is None else {"value": value, "unit": unit}


def _diagnosis(name: str, state: State) -> Body:
    alert = name in state.faults or (name == "TirePressure" and min(state.tyres) < 195.0)
    alert = alert or (
        name == "MIL" and any(TROUBLE_CODES.get(fault, "")[:1] == "P" for fault in state.faults)
    )
    return {"status": "ALERT", "description": f"{name} needs attention"} if alert else {"status": "OK"}


# Charge


def _volts(state: State) -> int:
    return 0 if not state.charging else 400 if state.fast else 240


def _kw(state: State) -> float:
    return power_at(state.soc, kw=state.kw, fast=state.fast) if state.charging else 0.0


def _amperes(state: State) -> int:
    return round(_kw(state) * 1000 / _volts(state)) if state.charging else 0


def _limits(car: Car, state: State) -> Body:
    limit = round(state.limit)
    return {
        "values": [{"type": "GLOBAL", "limit": limit, "condition": None}],
        "activeLimit": limit if state.plugged else None,
        "unit": "percent",
    }


def _charge_state(state: State) -> str:
    if state.charging:
        return "CHARGING"
    return "FULLY_CHARGED" if state.plugged and state.soc >= state.limit - 0.5 else "NOT_CHARGING"


def _connector(car: Car, state: State) -> str:
    slow, fast = car.rules.ports
    return fast if state.plugged and state.fast else slow


def _port_color(state: State) -> str:
    return "GREEN" if state.charging else "BLUE" if state.plugged else "OFF"


def _rate(car: Car, state: State) -> float:
    model = car.facts.model
    return round(_kw(state) / model.battery * model.range_km, 1)


def _minutes_left(state: State) -> int:
    return round(max(0.0, state.charge_ends - state.at) / 60) if state.charging else 0


# Closures


def _grid(car: Car, opened: frozenset[tuple[int, int]], **more: Any) -> Body:
    rows, columns = car.facts.model.doors
    values = [
        {"row": row, "column": column, "isOpen": (row, column) in opened, **more}
        for row in range(rows)
        for column in range(columns)
    ]
    return {"values": values, "rowCount": rows, "columnCount": columns}


def _doors(car: Car, state: State) -> Body:
    body = _grid(car, state.doors)
    for door in body["values"]:
        door["isLocked"] = state.locked and not door["isOpen"]
    return body


def _lid(is_open: bool, state: State) -> Body:
    return {"isOpen": is_open, "isLocked": state.locked and not is_open}


def _location(car: Car, state: State) -> Body:
    if car.rules.last_parked and state.driving:
        latitude, longitude = state.parked
        return {"latitude": latitude, "longitude": longitude, "locationType": "LAST_PARKED"}
    return {
        "latitude": state.latitude,
        "longitude": state.longitude,
        "heading": state.heading,
        "direction": _COMPASS[round(state.heading / 45) % 8],
        "locationType": "LAST_PARKED" if car.rules.last_parked else "CURRENT",
    }


def _tires(state: State) -> Body:
    values = [
        {"row": wheel // 2, "column": wheel % 2, "tirePressure": pressure}
        for wheel, pressure in enumerate(state.tyres)
    ]
    return {"values": values, "rowCount": 2, "columnCount": 2, "unit": "kPa"}


def _range(car: Car, state: State) -> int:
    return round(state.soc / 100 * car.facts.model.range_km)


def _fuel_range(car: Car, state: State) -> int:
    model = car.facts.model
    return round(state.fuel / 100 * model.tank / model.economy * 100)


def _capacity(car: Car, state: State) -> Body:
    """Where a model has several batteries the maker does not tell which it is; then the owner is asked."""
    known = len(car.capacities) == 1
    return {
        "capacity": car.capacities[0] if known else None,
        "source": "SMARTCAR" if known else None,
        "availableCapacities": [
            {"capacity": kwh, "description": f"{car.powertrain}:{kwh:g}"} for kwh in car.capacities
        ],
        "unit": "kWh",
    }


def _oil_life(state: State) -> int:
    return round(100 - state.odometer % 12_000 / 125)


def _low_voltage(state: State) -> int:
    return 96 if state.driving or state.charging else 62 if state.deep else 88


def _trouble_list(state: State) -> Body:
    since = state.at - state.at % 86_400
    return {"values": [{"code": TROUBLE_CODES[name], "timestamp": iso(since)} for name in state.faults]}


def _permissions(car: Car) -> list[str]:
    return ["vehicle_device_data", "vehicle_location", "vehicle_cmds", "vehicle_charging_cmds"]


_WRITERS: Final[dict[str, Callable[[Car, State], Body]]] = {
    "charge-amperage": lambda car, s: _value(_amperes(s), "ampere"),
    "charge-amperagemax": lambda car, s: _value(round(car.facts.model.ac_kw * 1000 / 240), "ampere"),
    "charge-amperagerequested": lambda car, s: _value(_amperes(s), "ampere"),
    "charge-chargelimits": _limits,
    "charge-chargeportstatuscolor": lambda car, s: _value(_port_color(s)),
    "charge-chargerate": lambda car, s: _value(_rate(car, s), "km/h"),
    "charge-chargerecords": lambda car, s: {
        "values": charge_records(car.life, ports=car.rules.ports, moment=s.at)
    },
    "charge-chargetimers": lambda car, s: {"values": [schedule.body() for schedule in s.schedules]},
    "charge-chargerphases": lambda car, s: _value(1 if s.charging and not s.fast else 0),
    "charge-chargingconnectortype": lambda car, s: _value(_connector(car, s)),
    "charge-detailedchargingstatus": lambda car, s: _value(_charge_state(s)),
    "charge-energyadded": lambda car, s: _value(round(s.energy_added, 2), "kWh"),
    "charge-fastchargertype": lambda car, s: _value(car.rules.ports[1] if s.plugged and s.fast else "NONE"),
    "charge-ischarging": lambda car, s: _value(s.charging),
    "charge-ischargingcableconnected": lambda car, s: _value(s.plugged),
    "charge-ischargingcablelatched": lambda car, s: _value(s.plugged),
    "charge-ischargingportflapopen": lambda car, s: _value(s.port),
    "charge-isfastchargerpresent": lambda car, s: _value(s.plugged and s.fast),
    "charge-timetocomplete": lambda car, s: _value(_minutes_left(s), "minute"),
    "charge-voltage": lambda car, s: _value(_volts(s), "volts"),
    "charge-wattage": lambda car, s: _value(round(_kw(s) * 1000), "watts"),
    "climate-externaltemperature": lambda car, s: _value(s.outside, "celsius"),
    "climate-internaltemperature": lambda car, s: _value(s.cabin, "celsius"),
    "closure-doors": _doors,
    "closure-enginecover": lambda car, s: {"isOpen": s.hood},
    "closure-fronttrunk": lambda car, s: _lid(s.frunk, s),
    "closure-islocked": lambda car, s: _value(s.locked),
    "closure-reartrunk": lambda car, s: _lid(s.trunk, s),
    "closure-sunroof": lambda car, s: {"isOpen": s.sunroof},
    "closure-tailgate": lambda car, s: _lid(s.trunk, s),
    "closure-windows": lambda car, s: _grid(car, s.windows),
    "connectivitysoftware-currentfirmwareversion": lambda car, s: _value(car.facts.firmware),
    "connectivitystatus-isasleep": lambda car, s: _value(s.asleep),
    "connectivitystatus-isdigitalkeypaired": lambda car, s: _value(s.digital_key),
    "connectivitystatus-isonline": lambda car, s: _value(s.reachable and not s.deep),
    "diagnostics-dtccount": lambda car, s: _value(len(s.faults), "count"),
    "diagnostics-dtclist": lambda car, s: _trouble_list(s),
    "hvac-cabintargettemperature": lambda car, s: _value(21.5, "celsius"),
    "hvac-iscabinhvacactive": lambda car, s: _value(s.climate),
    "hvac-isfrontdefrosteractive": lambda car, s: _value(s.climate and s.outside < 7.0),
    "hvac-isreardefrosteractive": lambda car, s: _value(s.climate and s.outside < 7.0),
    "hvac-issteeringheateractive": lambda car, s: _value(s.climate and s.outside < 10.0),
    "internalcombustionengine-amountremaining": lambda car, s: _value(
        round(s.fuel / 100 * car.facts.model.tank, 1), "liters"
    ),
    "internalcombustionengine-fuellevel": lambda car, s: _value(round(s.fuel, 1), "percent"),
    "internalcombustionengine-oillife": lambda car, s: _value(_oil_life(s), "percent"),
    "internalcombustionengine-range": lambda car, s: _value(_fuel_range(car, s), "km"),
    "location-isathome": lambda car, s: _value(s.at_base),
    "location-preciselocation": _location,
    "lowvoltagebattery-stateofcharge": lambda car, s: _value(_low_voltage(s), "percent"),
    "lowvoltagebattery-status": lambda car, s: _value("WARN" if s.deep else "GOOD"),
    "motion-currentspeed": lambda car, s: _value(s.speed, "kph"),
    "odometer-traveleddistance": lambda car, s: _value(round(s.odometer, 1), "km"),
    "service-isinservice": lambda car, s: _value(s.in_service),
    "service-records": lambda car, s: {"values": service_records(car.life, odometer=s.odometer, moment=s.at)},
    "surveillance-brand": lambda car, s: _value("Sentry Mode" if car.make == "TESLA" else "Gear Guard"),
    "surveillance-isenabled": lambda car, s: _value(not s.driving and not s.at_base and s.locked),
    "tractionbattery-isheateractive": lambda car, s: _value(s.charging and s.outside < 8.0),
    "tractionbattery-maxrangechargecounter": lambda car, s: _value(int(s.odometer // 2_500), "count"),
    "tractionbattery-nominalcapacity": _capacity,
    "tractionbattery-range": lambda car, s: _value(_range(car, s), "km"),
    "tractionbattery-stateofcharge": lambda car, s: _value(round(s.soc, 1), "percent"),
    "transmission-drivemode": lambda car, s: {
        "canonical": "NORMAL",
        "oemDisplayName": "Standard" if car.make == "TESLA" else "All-Purpose",
    },
    "transmission-gearstate": lambda car, s: _value("DRIVE" if s.driving else "PARK"),
    "vehicleidentification-exteriorcolor": lambda car, s: _value(car.facts.color),
    "vehicleidentification-nickname": lambda car, s: _value(car.facts.nickname),
    "vehicleidentification-packages": lambda car, s: {"values": [f"{car.facts.trim} Package"]},
    "vehicleidentification-trim": lambda car, s: _value(car.facts.trim),
    "vehicleidentification-vin": lambda car, s: _value(car.vin),
    "vehicleuseraccount-permissions": lambda car, s: {"values": _permissions(car)},
    "vehicleuseraccount-role": lambda car, s: _value("Owner"),
    "wheel-style": lambda car, s: _value(f"{car.facts.trim} {18 + car.facts.index % 3} inch"),
    "wheel-tires": lambda car, s: _tires(s),
}
