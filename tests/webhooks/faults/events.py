"""The events of the fault test's vehicles. The same arguments always produce the same events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

STEP = 20_000


@dataclass(frozen=True)
class Scenario:
    """`events_each` events for each of `cars` vehicles, 20 s apart, the first at `start` (epoch milliseconds)."""

    cars: int
    events_each: int
    start: int

    @property
    def size(self) -> int:
        """The number of events."""
        return self.cars * self.events_each

    def vehicle_ids(self) -> list[str]:
        """Returns Smartcar's vehicle IDs."""
        return [f"car-{index:04}" for index in range(self.cars)]

    def events(self) -> Iterator[dict[str, Any]]:
        """Yields the events in chronological order, alternating between vehicles."""
        for step in range(self.events_each):
            for number, vehicle_id in enumerate(self.vehicle_ids()):
                yield self._event(number, vehicle_id, step)

    def _event(self, number: int, vehicle_id: str, step: int) -> dict[str, Any]:
        return {
            "eventId": f"{vehicle_id}-{step}",
            "eventType": "VEHICLE_STATE",
            "data": {
                "user": {"id": "user-1"},
                "vehicle": {"id": vehicle_id, "make": "TESLA", "model": "Model 3", "year": 2022},
                "signals": list(self._signals(number, step)),
            },
            "triggers": [],
            "meta": {"version": "4.0", "mode": "LIVE", "sequence": step + 1},
        }

    def _signals(self, number: int, step: int) -> Iterator[dict[str, Any]]:
        """Some signals change with each event, others less often; the state of charge sometimes has an error."""
        yield self._signal(
            "odometer-traveleddistance", {"value": 1000 + number + step * 0.3, "unit": "km"}, step
        )
        location = {"latitude": 48 + step * 1e-4, "longitude": 11 + number * 1e-3}
        yield self._signal("location-preciselocation", location, step)
        yield self._signal("closure-islocked", {"value": step // 3 % 2 == 0}, step - step % 3)
        charge = self._signal(
            "tractionbattery-stateofcharge", {"value": 90 - step // 5 % 80, "unit": "percent"}, step
        )
        if (step + number) % 11 == 0:
            charge["status"] = {"value": "ERROR", "error": {"type": "VEHICLE_STATE", "code": "ASLEEP"}}
            del charge["body"]
        yield charge

    def _signal(self, code: str, body: dict[str, Any], step: int) -> dict[str, Any]:
        at = self.start + step * STEP
        group, _, name = code.partition("-")
        return {
            "code": code,
            "name": name,
            "group": group,
            "body": body,
            "status": {"value": "SUCCESS"},
            "meta": {"oemUpdatedAt": at, "retrievedAt": at + 1000},
        }
