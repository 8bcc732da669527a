"""The seeded world of cars and the accounts that hold them."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any
from uuid import UUID

from simulator.vehicles.city import build_city
from simulator.vehicles.lifecycle import Identity, Lifecycle
from simulator.vehicles.makes import MAKES
from simulator.vehicles.models import MODELS, Model
from simulator.vehicles.names import COLORS, FIRST, LAST
from simulator.vehicles.overrides import Overrides
from simulator.vehicles.routes import role_of
from simulator.vehicles.signal_changes import changed_codes
from simulator.vehicles.vehicle import Vehicle
from simulator.vehicles.vin import build_vin
from simulator.vehicles.weekly_schedule import RouteLibrary, WeeklySchedule, plan_week


@dataclass(frozen=True, slots=True)
class Account:
    """An owner's account at a maker."""

    email: str
    make: str
    user_id: str
    vehicle_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Signals of a car whose reported value changed."""

    vehicle_id: str
    codes: tuple[str, ...]
    at: float


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


class Fleet:
    """The seeded world of cars. All times are epoch seconds of the simulator's clock, given by the caller."""

    def __init__(self, *, seed: int, vehicles: int, start: float) -> None:
        self.seed, self.start = seed, start
        self._library = RouteLibrary(seed=seed, city=build_city(seed))
        self._vehicles: dict[str, Vehicle] = {}
        self._accounts: dict[str, Account] = {}
        self._now = start
        self._due: list[tuple[float, str]] = []  # (next report, car), outdated ones among them
        self._next: dict[str, float] = {}  # the report that counts, for each car
        self._changed_ids: set[str] = set()
        self._fill(vehicles)
        self.vehicles: Mapping[str, Vehicle] = MappingProxyType(self._vehicles)
        self.accounts: Mapping[str, Account] = MappingProxyType(self._accounts)
        self._by_make: dict[str, list[Account]] = {}
        for account in self._accounts.values():
            self._by_make.setdefault(account.make, []).append(account)

    def accounts_of(self, make: str) -> Sequence[Account]:
        """The accounts at a maker; empty for a make that no car has."""
        return tuple(self._by_make.get(make, ()))

    # The world

    def _fill(self, vehicles: int) -> None:
        deck = list(MODELS)
        Random(self.seed).shuffle(deck)  # noqa: S311 - a reproducible world
        pending: dict[str, tuple[str, str, list[str]]] = {}
        for index in range(vehicles):
            rng = Random(f"{self.seed}:{index}")  # noqa: S311 - a reproducible world
            model = deck[index % len(deck)]
            holder = pending.get(model.make)
            if holder is None or len(holder[2]) >= 1 + Random(holder[0]).choice((0, 1, 1, 2)):  # noqa: S311
                holder = pending[model.make] = (self._email(rng, index, model), _uuid(rng), [])
            identity = self._identity(rng, index=index, model=model, email=holder[0], user_id=holder[1])
            holder[2].append(identity.id)
            self._accounts[holder[0]] = Account(holder[0], model.make, holder[1], tuple(holder[2]))
            self._vehicles[identity.id] = Vehicle(
                Lifecycle(
                    identity, seed=self.seed, start=self.start, plan=self._plan, on_change=self._mark_changed
                )
            )

    def _email(self, rng: Random, index: int, model: Model) -> str:
        return f"{rng.choice(FIRST)}.{rng.choice(LAST)}{index}@{model.make.lower().replace('_', '-')}.example"

    def _identity(self, rng: Random, *, index: int, model: Model, email: str, user_id: str) -> Identity:
        year = rng.randint(*model.years)
        age = max(0.3, 2026.5 - year)
        return Identity(
            index=index,
            id=_uuid(rng),
            vin=build_vin(
                maker=model.maker_code,
                description=model.description,
                year=year,
                plant=model.plant,
                serial=100_000 + (index * 7919 + rng.randrange(7000)) % 900_000,
            ),
            model=model,
            year=year,
            trim=rng.choice(model.trims),
            color=rng.choice(COLORS),
            nickname=f"{MAKES[model.make].display} {index + 1}",
            account=email,
            user_id=user_id,
            first_km=round(age * rng.uniform(9_000, 21_000), 1),
            firmware=f"{year}.{rng.randrange(2, 44)}.{rng.randrange(1, 9)}",
        )

    def _plan(self, identity: Identity) -> WeeklySchedule:
        rng = Random(f"{self.seed}:{identity.index}:week")  # noqa: S311 - a reproducible world
        return plan_week(
            rng,
            index=identity.index,
            role=role_of(identity.index),
            library=self._library,
            model=identity.model,
        )

    # Time

    def advance(self, *, now: float) -> Sequence[Change]:
        """Move the world to ``now``; gives the cars whose reported values changed since the last advance.

        Of several reports of a car in between, the last counts, as for a reader that looks now and then. What commands
        and patches did is not repeated here: ``Car.patch`` tells it itself, and signals show it at once.
        """
        if not self._next:
            for vehicle in self._vehicles.values():
                vehicle.known = vehicle.reported(now=self._now)
                self._schedule(vehicle, self._now)
        self._now = max(now, self._now)
        changed, self._changed_ids = self._changed_ids, set()
        due = set(changed)
        while self._due and self._due[0][0] <= self._now:
            at, vehicle_id = heapq.heappop(self._due)
            if self._next[vehicle_id] == at:
                due.add(vehicle_id)
        detected = (
            self._detect_changes(self._vehicles[vehicle_id], changed_outside=vehicle_id in changed)
            for vehicle_id in sorted(due)
        )
        return [change for change in detected if change]

    def _detect_changes(self, vehicle: Vehicle, *, changed_outside: bool) -> Change | None:
        last_change = vehicle.lifecycle.overrides.reported if vehicle.lifecycle.overrides else None
        if changed_outside and last_change is not None:
            vehicle.known = vehicle.reported(now=min(last_change, self._now))
        before, after = vehicle.known, vehicle.reported(now=self._now)
        vehicle.known = after
        self._schedule(vehicle, self._now)
        codes = changed_codes(vehicle, before, after) if before is not None and before is not after else ()
        return Change(vehicle.id, codes, after.at) if codes else None

    def _schedule(self, vehicle: Vehicle, now: float) -> None:
        at = vehicle.next_report(now)
        if self._next.get(vehicle.id) != at:
            self._next[vehicle.id] = at
            heapq.heappush(self._due, (at, vehicle.id))

    def _mark_changed(self, vehicle_id: str) -> None:
        self._vehicles[vehicle_id].forget()
        self._changed_ids.add(vehicle_id)

    def snapshot(self) -> dict[str, Any]:
        """What deviates from the seeded plan, JSON-able."""
        deviations = {
            vehicle.id: vehicle.lifecycle.overrides
            for vehicle in self._vehicles.values()
            if vehicle.lifecycle.overrides
        }
        for overrides in deviations.values():
            overrides.drop_expired(self._now)
        kept = {
            vehicle_id: overrides.dump()
            for vehicle_id, overrides in deviations.items()
            if overrides.matters(self._now)
        }
        return {"now": self._now, "cars": kept}

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what a snapshot of the same world holds. Raises KeyError for cars that are not in this world."""
        loaded = {vehicle_id: Overrides.load(plain) for vehicle_id, plain in data["cars"].items()}
        for unknown in loaded.keys() - self._vehicles.keys():
            raise KeyError(unknown)
        for vehicle in self._vehicles.values():
            vehicle.lifecycle.restore(loaded.get(vehicle.id))
        self._now = float(data["now"])
        self._due, self._next, self._changed_ids = [], {}, set()
