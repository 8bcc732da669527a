"""Records what the fleet's vehicles reported before the demo began.

The simulator returns it in the form of Smartcar's webhooks. Each reading is parsed, and checked against permissions and
hidden locations, as one that arrives today, and stored by the module that stores all readings. So summaries and figures
on pages are computed from these readings, as usual.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import httpx
import orjson
from django.db import transaction

from connect.models import Connection
from vehicles import partitions, retention
from vehicles.location_privacy import LocationRules, reveals_location, rules_for
from vehicles.observations import SignalReading
from vehicles.readings import NewReading, insert_readings
from vehicles.services import lock_vehicles
from vehicles.signal_permissions import permission_for
from webhooks.parsing.signals import read_signals

SPACING = timedelta(minutes=30)
_AT_ONCE = 4000


def record(
    simulator: httpx.Client, *, connections: Sequence[Connection], start: datetime, now: datetime
) -> int:
    """Records the history of these connections' vehicles since `start`, and returns the number of readings."""
    total = 0
    rules = rules_for(vehicle_ids=[each.vehicle_id for each in connections], now=now)
    # The simulator works out the next vehicles while one is being stored.
    with ThreadPoolExecutor(max_workers=2) as pool:
        texts = pool.map(lambda each: _fetch(simulator, each, start=start), connections)
        for number, (connection, text) in enumerate(zip(connections, texts, strict=True)):
            found = list(
                readings(
                    text.splitlines(),
                    vehicle_id=connection.vehicle_id,
                    permissions=connection.scopes,
                    rules=rules,
                    now=now,
                )
            )
            _store(connection.vehicle_id, found)
            total += len(found)
            if number == 0:
                # The months of these readings get their partitions, so that the others' needn't be moved there.
                partitions.create(now=now, since=retention.oldest_retained(now=now))
    return total


def readings(
    lines: Iterable[str],
    *,
    vehicle_id: int,
    permissions: Collection[str],
    rules: LocationRules,
    now: datetime,
) -> Iterator[NewReading]:
    """Yields the readings in a stream of past reports that may be stored; none is from the future."""
    for line in lines:
        observations, _ = read_signals(orjson.loads(line)["signals"], latest=now)
        for observation in observations:
            at = observation.oem_updated_at
            if at is None or at > now or observation.body is None:
                continue
            if permission_for(observation.code) in permissions and not _is_hidden(
                observation, vehicle_id=vehicle_id, at=at, rules=rules
            ):
                yield NewReading(vehicle_id, observation.code, at, observation.body)


def _is_hidden(observation: SignalReading, *, vehicle_id: int, at: datetime, rules: LocationRules) -> bool:
    return reveals_location(observation.code, observation.body) and rules.is_hidden(vehicle_id, at=at)


def _fetch(simulator: httpx.Client, connection: Connection, *, start: datetime) -> str:
    answer = simulator.get(
        f"/control/vehicles/{connection.vehicle.smartcar_id}/reports",
        params={"from": start.isoformat(), "spacing": SPACING.total_seconds()},
    )
    return answer.raise_for_status().text


def _store(vehicle_id: int, found: Sequence[NewReading]) -> None:
    for at in range(0, len(found), _AT_ONCE):
        with transaction.atomic():
            lock_vehicles(vehicle_ids=[vehicle_id])
            insert_readings(readings=found[at : at + _AT_ONCE])
