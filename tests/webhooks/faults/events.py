"""What the cars of the fault test tell: always the same for the same start, whoever asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

STEP = 20_000


@dataclass(frozen=True)
class Story:
    """So many events of each of so many cars, 20 s apart, the first at `start` (epoch milliseconds)."""

    cars: int
    events_each: int
    start: int

    @property
    def size(self) -> int:
        """How many events there are."""
        return self.cars * self.events_each

    def car_ids(self) -> list[str]:
        """Smartcar's ids of the cars."""
        return [f"car-{number:04}" for number in range(self.cars)]

    def events(self) -> Iterator[dict[str, Any]]:
        """In order of time, the cars by turns."""
        for step in range(self.events_each):
            for car, car_id in enumerate(self.car_ids()):
                yield self._event(car, car_id, step)

    def _event(self, car: int, car_id: str, step: int) -> dict[str, Any]:
        return {
            "eventId": f"{car_id}-{step}",
            "eventType": "VEHICLE_STATE",
            "data": {
                "user": {"id": "user-1"},
                "vehicle": {"id": car_id, "make": "TESLA", "model": "Model 3", "year": 2022},
                "signals": list(self._signals(car, step)),
            },
            "triggers": [],
            "meta": {"version": "4.0", "mode": "LIVE", "sequence": step + 1},
        }

    def _signals(self, car: int, step: int) -> Iterator[dict[str, Any]]:
        """Some change with each event, some now and then; the charge is an error at times."""
        yield self._signal(
            "odometer-traveleddistance", {"value": 1000 + car + step * 0.3, "unit": "km"}, step
        )
        place = {"latitude": 48 + step * 1e-4, "longitude": 11 + car * 1e-3}
        yield self._signal("location-preciselocation", place, step)
        yield self._signal("closure-islocked", {"value": step // 3 % 2 == 0}, step - step % 3)
        charge = self._signal(
            "tractionbattery-stateofcharge", {"value": 90 - step // 5 % 80, "unit": "percent"}, step
        )
        if (step + car) % 11 == 0:
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
