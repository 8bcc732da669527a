"""What a car and its maker remember: past charging sessions and services."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from simulator.cars.state import State

if TYPE_CHECKING:
    from simulator.cars.car import Car

_DAY: Final = 86_400.0
_KWH_PRICE: Final = {False: 0.31, True: 0.56}
_SERVICE_EVERY: Final = 12_000.0  # km


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def charge_records(car: Car, state: State) -> list[dict[str, Any]]:
    """The finished charging sessions of the car's day, oldest first."""
    day, battery = car.day(state.at), car.facts.model.battery
    records = []
    for phase in day.phases:
        if not phase.charges or phase.charge_end > min(state.at, day.end):
            continue
        end_soc, _ = day.levels(phase.charge_end, phase.km)
        fast, place = phase.fast, day.spot(phase.at).place
        energy = round((end_soc - phase.session_soc) / 100 * battery, 2)
        records.append(
            {
                "id": f"CHG{round(phase.charge_start)}",
                "startTime": _iso(phase.charge_start),
                "endTime": _iso(phase.charge_end),
                "energyAdded": energy,
                "connectorType": car.rules.ports[1 if fast else 0],
                "isPublicCharger": fast,
                "startStateOfCharge": round(phase.session_soc, 1),
                "endStateOfCharge": round(end_soc, 1),
                "cost": {
                    "currency": "USD",
                    "energyAmount": round(energy * _KWH_PRICE[fast], 2),
                    "otherAmount": 0,
                },
                "location": {
                    "name": place.name,
                    "address": place.address,
                    "latitude": place.latitude,
                    "longitude": place.longitude,
                },
            }
        )
    return records


def service_records(car: Car, state: State) -> list[dict[str, Any]]:
    """Services at every 12,000 km, the last three; dates from the car's weekly distance."""
    weekly = max(car.routine.prefix[7], 1.0)
    done = int(state.odometer // _SERVICE_EVERY)
    records = []
    for number in range(max(1, done - 2), done + 1):
        odometer = number * _SERVICE_EVERY
        ago = (state.odometer - odometer) / weekly * 7 * _DAY
        time = state.at - ago
        task = "Oil and filter change" if car.facts.model.combustion else "Cabin filter and brake fluid check"
        records.append(
            {
                "id": f"SVC-{car.facts.index}-{number}",
                "time": _iso(time - time % _DAY + 61_200),
                "odometer": round(odometer + car.facts.index % 200),
                "cost": {"amount": 120 + 35 * (number % 4), "currency": "USD"},
                "tasks": [{"id": f"TSK-{number}", "description": task}],
                "details": [{"id": f"DTL-{number}", "description": "Multi-point inspection passed"}],
            }
        )
    return records
