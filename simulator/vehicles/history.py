"""A vehicle's history: past charging sessions and services."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from simulator.vehicles.city_time import DAY
from simulator.vehicles.energy_phases import Phase, levels_in
from simulator.vehicles.models import Model

if TYPE_CHECKING:
    from simulator.vehicles.daily_plan import DailyPlan
    from simulator.vehicles.lifecycle import Lifecycle

_PRICES: Final = {False: 0.31, True: 0.56}  # USD for a kWh, alternating and direct current.
SERVICE_EVERY: Final = 12_000.0  # km
_HISTORY_DAYS: Final = 7  # days


def iso(moment: float) -> str:
    """Return a moment as an ISO 8601 time in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def finished_sessions(
    day: DailyPlan,
    model: Model,
    *,
    ports: tuple[str, str],
    clock_time: Callable[[float], float],
    until: float | None = None,
) -> list[dict[str, Any]]:
    """Return the finished charging sessions of a day as entries of ``charge-chargerecords``."""
    over = day.end if until is None else until
    return [
        _session(day, phase, model=model, ports=ports, end=end, clock_time=clock_time)
        for phase, end in day.sessions()
        if end <= over
    ]


def _session(
    day: DailyPlan,
    phase: Phase,
    *,
    model: Model,
    ports: tuple[str, str],
    end: float,
    clock_time: Callable[[float], float],
) -> dict[str, Any]:
    soc, _ = levels_in(phase, model, moment=end, km=phase.km)
    trip_status = day.trip_status(phase.at)
    latitude, longitude = day.fix(phase.at, trip_status)[:2]
    energy = round(max(0.0, soc - phase.begun_soc) / 100 * model.battery, 2)
    return {
        "id": f"CHG{round(phase.begun)}",
        "startTime": iso(clock_time(phase.begun)),
        "endTime": iso(clock_time(end)),
        "energyAdded": energy,
        "connectorType": ports[1 if phase.fast else 0],
        "isPublicCharger": phase.fast,
        "startStateOfCharge": round(phase.begun_soc, 1),
        "endStateOfCharge": round(soc, 1),
        "cost": {"currency": "USD", "energyAmount": round(energy * _PRICES[phase.fast], 2), "otherAmount": 0},
        "location": {
            "name": trip_status.place.name,
            "address": trip_status.place.address,
            "latitude": round(latitude, 6),
            "longitude": round(longitude, 6),
        },
    }


def charge_records(lifecycle: Lifecycle, *, ports: tuple[str, str], moment: float) -> list[dict[str, Any]]:
    """Return the finished sessions of the last seven days, oldest first."""
    today, clock_time = lifecycle.daily_plan(moment), lifecycle.plan_clock.clock_time
    records: list[dict[str, Any]] = []
    for number in range(today.number - _HISTORY_DAYS + 1, today.number):
        records += finished_sessions(
            lifecycle.plan_for_day(number), lifecycle.identity.model, ports=ports, clock_time=clock_time
        )
    return records + finished_sessions(
        today, lifecycle.identity.model, ports=ports, clock_time=clock_time, until=moment
    )


def service_records(lifecycle: Lifecycle, *, odometer: float, moment: float) -> list[dict[str, Any]]:
    """Return the last three services, one every 12,000 km. Their times follow from the vehicle's weekly distance."""
    weekly = max(lifecycle.weekly_schedule.prefix[7], 1.0)
    driven_by_hand = lifecycle.overrides.odometer if lifecycle.overrides else 0.0
    index, done = lifecycle.identity.index, int(odometer // SERVICE_EVERY)
    records = []
    for number in range(max(1, done - 2), done + 1):
        since_start = number * SERVICE_EVERY - lifecycle.identity.first_km - driven_by_hand
        planned = min(lifecycle.start + since_start / weekly * 7 * DAY, moment)
        time = lifecycle.plan_clock.clock_time(planned)
        task = (
            "Oil and filter change"
            if lifecycle.identity.model.combustion
            else "Cabin filter and brake fluid check"
        )
        records.append(
            {
                "id": f"SVC-{index}-{number}",
                "time": iso(time - time % DAY),
                "odometer": round(number * SERVICE_EVERY),
                "cost": {"amount": 120 + 35 * (number % 4), "currency": "USD"},
                "tasks": [{"id": f"TSK-{number}", "description": task}],
                "details": [{"id": f"DTL-{number}", "description": "Multi-point inspection passed"}],
            }
        )
    return records
