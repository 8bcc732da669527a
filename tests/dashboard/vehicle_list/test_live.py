"""Open pages receive the changes of their own fleet, in the user's language, from where they stopped."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.test import Client
from redis import Redis

from accounts.models import Fleet, Membership, User
from core import pubsub
from core.pubsub import Channel
from dashboard.live.hub import ClientStream
from tests.dashboard.vehicle_list.fixtures import create_vehicle, report_signal
from tests.web import running_web
from vehicles import catalogue
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real web server for all tests of the module, because only ASGI can stream."""
    with running_web(tmp_path_factory.mktemp("web") / "web.log") as url:
        yield url


@dataclass
class Event:
    name: str
    id: str
    data: Any


class Stream:
    """An open page's stream, read event by event."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def next(self, name: str) -> Event:
        """Returns the next event with this name."""
        found: dict[str, str] = {}
        for line in self._lines:
            field, _, value = line.partition(": ")
            if line:
                found[field] = value
            elif found.get("event") == name:
                return Event(name, found.get("id", ""), json.loads(found["data"]))
            else:
                found = {}
        pytest.fail("the stream ended")


@contextmanager
def open_stream(site: str, user: User, query: str, *, last: str = "") -> Iterator[Stream]:
    client = Client()
    client.force_login(user)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    headers = {"Last-Event-ID": last} if last else {}
    with (
        httpx.Client(base_url=site, cookies=cookies, headers=headers, timeout=20, trust_env=False) as http,
        http.stream("GET", f"/fleets/blue/live/?{query}") as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["Content-Type"] == "text/event-stream"
        stream = Stream(response.iter_lines())
        stream.next("heartbeat")
        yield stream


def offset(fleet: Fleet) -> str:
    return pubsub.current_offset(fleet_id=fleet.pk)


def report_charge(vehicle: Vehicle, charge: float) -> None:
    report_signal(vehicle, catalogue.STATE_OF_CHARGE, {"value": charge})
    pubsub.publish_on_commit(channel=Channel.SIGNALS, vehicles={vehicle.fleet_id: [vehicle.pk]})


def test_a_page_receives_rows_positions_and_counts_and_resumes(site: str, fleet: Fleet, owner: User) -> None:
    shown = create_vehicle(fleet, "Ada", charge=50, place=(37.7793, -122.4193))
    other = create_vehicle(fleet, "Bea", charge=50)
    query = f"since={offset(fleet)}&rows={shown.pk}&columns=energy"
    with open_stream(site, owner, query) as stream:
        report_charge(shown, 11)
        rows, update = stream.next("rows"), stream.next("fleet")
        assert list(rows.data) == [str(shown.pk)]
        assert "11%" in rows.data[str(shown.pk)]
        assert "cell-lock" not in rows.data[str(shown.pk)]
        assert update.data["vehicles"] == [[shown.pk, -122.4193, 37.7793, None, "parked"]]
        assert update.data["counts"]["low"] == 1
        assert update.data["counts"]["all"] == 2
    report_charge(other, 12)
    with open_stream(site, owner, query, last=update.id) as stream:
        assert stream.next("fleet").data["gone"] == [other.pk]


def test_rows_match_the_users_language_and_permissions(
    site: str, fleet: Fleet, owner: User, viewer: User
) -> None:
    vehicle = create_vehicle(fleet, "Ada", locked=True)
    User.objects.filter(pk=viewer.pk).update(language="de")
    query = f"since={offset(fleet)}&rows={vehicle.pk}&columns=lock"
    with open_stream(site, owner, query) as mine, open_stream(site, viewer, query) as theirs:
        report_charge(vehicle, 40)
        row, seen = (stream.next("rows").data[str(vehicle.pk)] for stream in (mine, theirs))
    assert "Locked" in row
    assert 'type="checkbox"' in row
    assert "Verriegelt" in seen
    assert 'type="checkbox"' not in seen


def test_vehicles_of_another_fleet_are_never_sent(
    site: str, fleet: Fleet, owner: User, outsider: User
) -> None:
    red = Fleet.objects.get(slug="red")
    mine, theirs = create_vehicle(fleet, "Ada"), create_vehicle(red, "Zoe")
    with open_stream(site, owner, f"since={offset(fleet)}&rows={mine.pk},{theirs.pk}") as stream:
        report_charge(theirs, 5)
        # Even if it is published to the wrong fleet.
        pubsub.publish_on_commit(channel=Channel.SIGNALS, vehicles={fleet.pk: [theirs.pk, mine.pk]})
        assert list(stream.next("rows").data) == [str(mine.pk)]
        assert stream.next("fleet").data["vehicles"] == []


def test_a_vehicle_page_receives_only_its_vehicle(site: str, fleet: Fleet, owner: User) -> None:
    shown, other = create_vehicle(fleet, "Ada"), create_vehicle(fleet, "Bea")
    with open_stream(site, owner, f"since={offset(fleet)}&vehicle={shown.pk}") as stream:
        report_charge(other, 5)
        place = pubsub.current_offset(fleet_id=fleet.pk)
        report_charge(shown, 5)
        assert stream.next("vehicle").id > place


def test_a_page_that_was_offline_too_long_is_resynchronized(site: str, fleet: Fleet, owner: User) -> None:
    create_vehicle(fleet, "Ada")
    with open_stream(site, owner, "since=1-0&rows=1") as stream:
        stream.next("resync")


def test_after_the_stream_is_deleted_pages_resynchronize_once(
    site: str, fleet: Fleet, owner: User, settings: Any
) -> None:
    vehicle = create_vehicle(fleet, "Ada")
    with open_stream(site, owner, f"since={offset(fleet)}&rows={vehicle.pk}") as stream:
        report_charge(vehicle, 40)
        stream.next("fleet")
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.delete(f"live:{fleet.pk}")
        report_charge(vehicle, 30)
        stream.next("resync")
        assert "30%" in stream.next("rows").data[str(vehicle.pk)]
        report_charge(vehicle, 20)
        assert "20%" in stream.next("rows").data[str(vehicle.pk)]


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_permissions_for_streams(
    request: pytest.FixtureRequest, site: str, fleet: Fleet, person: str, status: int
) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(person))
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    with (
        httpx.Client(base_url=site, cookies=cookies, timeout=20, trust_env=False) as http,
        http.stream("GET", f"/fleets/blue/live/?since={offset(fleet)}&rows=") as response,
    ):
        assert response.status_code == status


def test_an_invalid_offset_gets_no_stream(site: str, fleet: Fleet, owner: User) -> None:
    client = Client()
    client.force_login(owner)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    for since in ("", "x", "1-0; DEL", "99999999999999999999-0"):
        answer = httpx.get(
            f"{site}/fleets/blue/live/", params={"since": since}, cookies=cookies, timeout=20, trust_env=False
        )
        assert answer.status_code == 204


def test_a_server_without_asgi_reports_that_it_cannot_stream(fleet: Fleet, owner: User) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get(f"/fleets/blue/live/?since={offset(fleet)}").status_code == 204


def test_open_streams_hold_no_database_connection(site: str, fleet: Fleet, owner: User) -> None:
    """The pool has sixteen connections, not enough for thirty pages and a request."""
    vehicle = create_vehicle(fleet, "Ada")
    query = f"since={offset(fleet)}&rows={vehicle.pk}"
    opened: list[Any] = [open_stream(site, owner, query) for _ in range(30)]
    streams = [each.__enter__() for each in opened]
    report_charge(vehicle, 33)
    for stream in streams:
        assert "33%" in stream.next("rows").data[str(vehicle.pk)]
    started_at = time.monotonic()
    assert httpx.get(f"{site}/readyz", timeout=20, trust_env=False).status_code == 200
    assert time.monotonic() - started_at < 9  # the pool would time out after ten seconds
    for each in opened:
        each.__exit__(None, None, None)


def test_a_former_member_gets_no_new_stream(site: str, fleet: Fleet, viewer: User) -> None:
    client = Client()
    client.force_login(viewer)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    Membership.objects.filter(user=viewer).delete()
    answer = httpx.get(
        f"{site}/fleets/blue/live/?since={offset(fleet)}", cookies=cookies, timeout=20, trust_env=False
    )
    assert answer.status_code == 404


def test_a_slow_page_is_resynchronized() -> None:
    async def overflow() -> list[bytes | None]:
        page = ClientStream(fleet_id=1, since="1-0")
        for number in range(100):
            page.send(b"%d" % number)
        return [page.events.get_nowait() for _ in range(page.events.qsize())]

    events = asyncio.run(overflow())
    assert events[0] is not None
    assert b"resync" in events[0]
    assert events[-1] == b"99"
