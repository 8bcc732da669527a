"""The seeded world of cars and the accounts that hold them."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Any
from uuid import UUID

from simulator.cars.car import Car
from simulator.cars.changes import changed_codes
from simulator.cars.city import build_city
from simulator.cars.deviation import Deviation
from simulator.cars.life import Identity, Life
from simulator.cars.makes import MAKES
from simulator.cars.models import MODELS, Model
from simulator.cars.names import COLORS, FIRST, LAST
from simulator.cars.rounds import role_of
from simulator.cars.routine import Library, Routine, plan_week
from simulator.cars.vin import build_vin


@dataclass(frozen=True, slots=True)
class Account:
    """An owner's account at a maker."""

    email: str
    make: str
    user_id: str
    car_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Signals of a car whose reported value changed."""

    car_id: str
    codes: tuple[str, ...]
    at: float


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


class Garage:
    """The seeded world of cars. All times are epoch seconds of the simulator's clock, given by the caller."""

    def __init__(self, *, seed: int, vehicles: int, start: float) -> None:
        self.seed, self.start = seed, start
        self._library = Library(seed=seed, city=build_city(seed))
        self._cars: dict[str, Car] = {}
        self._accounts: dict[str, Account] = {}
        self._now = start
        self._due: list[tuple[float, str]] = []  # (next report, car), outdated ones among them
        self._next: dict[str, float] = {}  # the report that counts, for each car
        self._touched: set[str] = set()
        self._fill(vehicles)
        self.cars: Mapping[str, Car] = MappingProxyType(self._cars)
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
            facts = self._facts(rng, index=index, model=model, email=holder[0], user_id=holder[1])
            holder[2].append(facts.id)
            self._accounts[holder[0]] = Account(holder[0], model.make, holder[1], tuple(holder[2]))
            self._cars[facts.id] = Car(
                Life(facts, seed=self.seed, start=self.start, plan=self._plan, touched=self._touch)
            )

    def _email(self, rng: Random, index: int, model: Model) -> str:
        return f"{rng.choice(FIRST)}.{rng.choice(LAST)}{index}@{model.make.lower().replace('_', '-')}.example"

    def _facts(self, rng: Random, *, index: int, model: Model, email: str, user_id: str) -> Identity:
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

    def _plan(self, facts: Identity) -> Routine:
        rng = Random(f"{self.seed}:{facts.index}:week")  # noqa: S311 - a reproducible world
        return plan_week(
            rng, index=facts.index, role=role_of(facts.index), library=self._library, model=facts.model
        )

    # Time

    def advance(self, *, now: float) -> Sequence[Change]:
        """Move the world to ``now``; gives the cars whose reported values changed since the last advance.

        Of several reports of a car in between, the last counts, as for a reader that looks now and then. What commands
        and patches did is not repeated here: ``Car.patch`` tells it itself, and signals show it at once.
        """
        if not self._next:
            for car in self._cars.values():
                car.known = car.reported(now=self._now)
                self._schedule(car, self._now)
        self._now = max(now, self._now)
        touched, self._touched = self._touched, set()
        due = set(touched)
        while self._due and self._due[0][0] <= self._now:
            at, car_id = heapq.heappop(self._due)
            if self._next[car_id] == at:
                due.add(car_id)
        heard = (self._hear(self._cars[car_id], touched=car_id in touched) for car_id in sorted(due))
        return [change for change in heard if change]

    def _hear(self, car: Car, *, touched: bool) -> Change | None:
        done = car.life.deviation.reported if car.life.deviation else None
        if touched and done is not None:
            car.known = car.reported(now=min(done, self._now))
        before, after = car.known, car.reported(now=self._now)
        car.known = after
        self._schedule(car, self._now)
        codes = changed_codes(car, before, after) if before is not None and before is not after else ()
        return Change(car.id, codes, after.at) if codes else None

    def _schedule(self, car: Car, now: float) -> None:
        at = car.next_report(now)
        if self._next.get(car.id) != at:
            self._next[car.id] = at
            heapq.heappush(self._due, (at, car.id))

    def _touch(self, car_id: str) -> None:
        self._cars[car_id].forget()
        self._touched.add(car_id)

    def snapshot(self) -> dict[str, Any]:
        """What deviates from the seeded plan, JSON-able."""
        deviations = {car.id: car.life.deviation for car in self._cars.values() if car.life.deviation}
        for deviation in deviations.values():
            deviation.drop_expired(self._now)
        kept = {
            car_id: deviation.dump()
            for car_id, deviation in deviations.items()
            if deviation.matters(self._now)
        }
        return {"now": self._now, "cars": kept}

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what a snapshot of the same world holds. Raises KeyError for cars that are not in this world."""
        loaded = {car_id: Deviation.load(plain) for car_id, plain in data["cars"].items()}
        for unknown in loaded.keys() - self._cars.keys():
            raise KeyError(unknown)
        for car in self._cars.values():
            car.life.restore(loaded.get(car.id))
        self._now = float(data["now"])
        self._due, self._next, self._touched = [], {}, set()
