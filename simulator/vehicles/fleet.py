"""The seeded fleet of vehicles and the accounts that have them."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any
from uuid import UUID

from simulator.vehicles.city import MUNICH, build_city
from simulator.vehicles.city_time import HOUR
from simulator.vehicles.lifecycle import Identity, Lifecycle
from simulator.vehicles.makes import MAKES
from simulator.vehicles.models import EUROPEAN, MODELS, Model
from simulator.vehicles.names import COLORS, FIRST, LAST
from simulator.vehicles.overrides import Overrides
from simulator.vehicles.plan_clock import PlanClock
from simulator.vehicles.routes import role_for
from simulator.vehicles.signal_changes import changed_codes
from simulator.vehicles.vehicle import Vehicle
from simulator.vehicles.vin import build_vin
from simulator.vehicles.weekly_schedule import RouteLibrary, WeeklySchedule, plan_week


@dataclass(frozen=True, slots=True)
class Account:
    """An owner's account at a manufacturer."""

    email: str
    make: str
    user_id: str
    vehicle_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Signals of a vehicle whose reported value changed."""

    vehicle_id: str
    codes: tuple[str, ...]
    at: float


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


class Fleet:
    """The seeded fleet of vehicles. All times are epoch seconds of the simulator's clock, passed by the caller.

    The last ``munich`` of the vehicles are in Munich, with models of European makes.
    """

    def __init__(
        self, *, seed: int, vehicles: int, start: float, plan_start: float | None = None, munich: int = 0
    ) -> None:
        self.seed, self.start, self.munich = seed, start, munich
        self.plan_start = start if plan_start is None else plan_start
        self._library = RouteLibrary(seed=seed, city=build_city(seed))
        self._vehicles: dict[str, Vehicle] = {}
        self._accounts: dict[str, Account] = {}
        self._now = start
        self._due: list[tuple[float, str]] = []  # (next report, vehicle), outdated entries among them.
        self._next: dict[str, float] = {}  # The valid entry for each vehicle.
        self._changed_ids: set[str] = set()
        self._fill(vehicles)
        self.vehicles: Mapping[str, Vehicle] = MappingProxyType(self._vehicles)
        self.accounts: Mapping[str, Account] = MappingProxyType(self._accounts)
        self._by_make: dict[str, list[Account]] = {}
        for account in self._accounts.values():
            self._by_make.setdefault(account.make, []).append(account)

    def get_accounts(self, make: str) -> Sequence[Account]:
        """Return the accounts at a manufacturer. Empty for a make without vehicles."""
        return tuple(self._by_make.get(make, ()))

    # Creation

    def _fill(self, vehicles: int) -> None:
        deck = list(MODELS)
        Random(self.seed).shuffle(deck)  # noqa: S311 - reproducible runs
        pending: dict[tuple[str, bool], tuple[str, str, list[str]]] = {}
        for index in range(vehicles):
            rng = Random(f"{self.seed}:{index}")  # noqa: S311 - reproducible runs
            abroad = index >= vehicles - self.munich
            model = EUROPEAN[index % len(EUROPEAN)] if abroad else deck[index % len(deck)]
            holder = pending.get((model.make, abroad))
            if holder is None or len(holder[2]) >= 1 + Random(holder[0]).choice((0, 1, 1, 2)):  # noqa: S311
                holder = pending[model.make, abroad] = (self._email(rng, index, model), _uuid(rng), [])
            identity = self._identity(
                rng, index=index, model=model, email=holder[0], user_id=holder[1], abroad=abroad
            )
            holder[2].append(identity.id)
            self._accounts[holder[0]] = Account(holder[0], model.make, holder[1], tuple(holder[2]))
            lifecycle = Lifecycle(
                identity,
                seed=self.seed,
                start=self.plan_start,
                plan=self._plan,
                on_change=self._mark_changed,
            )
            lifecycle.plan_clock = self._start_clock(identity)
            self._vehicles[identity.id] = Vehicle(lifecycle)

    def _start_clock(self, identity: Identity) -> PlanClock:
        """Return the clock of a vehicle that follows its seeded plan. A day in Munich begins hours earlier."""
        return PlanClock(
            self.start - self.plan_start - (MUNICH.hours_ahead * HOUR if identity.abroad else 0.0)
        )

    def _email(self, rng: Random, index: int, model: Model) -> str:
        return f"{rng.choice(FIRST)}.{rng.choice(LAST)}{index}@{model.make.lower().replace('_', '-')}.example"

    def _identity(
        self, rng: Random, *, index: int, model: Model, email: str, user_id: str, abroad: bool
    ) -> Identity:
        year = rng.randint(*model.years)
        age = max(0.3, 2026.5 - year)
        return Identity(
            index=index,
            id=_uuid(rng),
            vin=build_vin(
                manufacturer=model.manufacturer_code,
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
            abroad=abroad,
        )

    def _plan(self, identity: Identity) -> WeeklySchedule:
        rng = Random(f"{self.seed}:{identity.index}:week")  # noqa: S311 - reproducible runs
        return plan_week(
            rng,
            index=identity.index,
            role=role_for(identity.index),
            library=self._library,
            model=identity.model,
            shift=MUNICH.shift if identity.abroad else (0.0, 0.0),
        )

    # Time

    def advance(self, *, now: float) -> Sequence[Change]:
        """Advance to ``now``, and return the vehicles whose reported values changed since the last call.

        Of several reports of a vehicle in between, the last one counts, as for an occasional reader. Changes by
        commands and patches aren't included: ``Vehicle.patch`` returns them itself, and signals show them at once.
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
            plan_time = vehicle.lifecycle.plan_clock.plan_time(self._now)
            vehicle.known = vehicle.reported_state_at(min(last_change, plan_time))
        before, after = vehicle.known, vehicle.reported(now=self._now)
        vehicle.known = after
        self._schedule(vehicle, self._now)
        codes = changed_codes(vehicle, before, after) if before is not None and before is not after else ()
        return Change(vehicle.id, codes, vehicle.last_report(self._now)) if codes else None

    def _schedule(self, vehicle: Vehicle, now: float) -> None:
        at = vehicle.next_report(now)
        if self._next.get(vehicle.id) != at:
            self._next[vehicle.id] = at
            heapq.heappush(self._due, (at, vehicle.id))

    def _mark_changed(self, vehicle_id: str) -> None:
        self._vehicles[vehicle_id].invalidate()
        self._changed_ids.add(vehicle_id)

    def snapshot(self) -> dict[str, Any]:
        """Return how the fleet differs from its seeded plans, as JSON-compatible values."""
        overrides_by_id, plans = {}, {}
        for vehicle in self._vehicles.values():
            untouched = self._start_clock(vehicle.identity).dump()
            overrides, clock = vehicle.lifecycle.overrides, vehicle.lifecycle.plan_clock
            if overrides:
                moment = clock.plan_time(self._now)
                overrides.drop_expired(moment)
                if overrides.matters(moment):
                    overrides_by_id[vehicle.id] = overrides.dump()
            plan = clock.dump()
            if plan != untouched:
                plans[vehicle.id] = plan
        return {"now": self._now, "cars": overrides_by_id} | ({"plans": plans} if plans else {})

    def restore(self, data: dict[str, Any]) -> None:
        """Restore a snapshot of the same fleet.

        Raises:
            KeyError: The snapshot has a vehicle that isn't in this fleet.
        """
        loaded = {vehicle_id: Overrides.load(plain) for vehicle_id, plain in data["cars"].items()}
        for unknown in loaded.keys() - self._vehicles.keys():
            raise KeyError(unknown)
        for vehicle in self._vehicles.values():
            plan = data.get("plans", {}).get(vehicle.id)
            clock = PlanClock.load(plan) if plan else self._start_clock(vehicle.identity)
            vehicle.lifecycle.restore(loaded.get(vehicle.id), clock)
        self._now = float(data["now"])
        self._due, self._next, self._changed_ids = [], {}, set()

    # Holding the daily plans

    def hold(self, vehicle_ids: Iterable[str] | None = None, *, now: float, parked: bool = False) -> None:
        """Hold the daily plans of these vehicles, or of all. See ``Vehicle.hold``."""
        for vehicle_id in self._vehicles if vehicle_ids is None else vehicle_ids:
            self._vehicles[vehicle_id].hold(now=now, parked=parked)

    def release(self, vehicle_ids: Iterable[str] | None = None, *, now: float) -> None:
        """Continue the daily plans of these vehicles, or of all. See ``Vehicle.release``."""
        for vehicle_id in self._vehicles if vehicle_ids is None else vehicle_ids:
            self._vehicles[vehicle_id].release(now=now)

    def reset_plans(self) -> None:
        """Return every held or delayed vehicle to the present time of its seeded plan."""
        for vehicle in self._vehicles.values():
            untouched = self._start_clock(vehicle.identity)
            if vehicle.lifecycle.plan_clock.dump() != untouched.dump():
                vehicle.lifecycle.restore(vehicle.lifecycle.overrides, untouched)

    def hold_as_started(self, *, now: float) -> None:
        """Return every vehicle to its state at the start of its plan, without overrides, and hold it parked."""
        for vehicle in self._vehicles.values():
            vehicle.lifecycle.restore(None, PlanClock(now - self.plan_start))
            vehicle.hold(now=now, parked=True)
