"""Open pages hear what is new: of their own fleet, in their own words, from where they stopped."""

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
from tests.dashboard.vehicle_list.fixtures import car, know
from tests.web import running_web
from vehicles import catalogue
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real web server for all tests of the module: only ASGI streams."""
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
        """The next event of this name."""
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
def listening(site: str, user: User, query: str, *, last: str = "") -> Iterator[Stream]:
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
        stream.next("beat")
        yield stream


def here(fleet: Fleet) -> str:
    return pubsub.current_offset(fleet_id=fleet.pk)


def tell(vehicle: Vehicle, charge: float) -> None:
    know(vehicle, catalogue.STATE_OF_CHARGE, {"value": charge})
    pubsub.publish_on_commit(channel=Channel.SIGNALS, vehicles={vehicle.fleet_id: [vehicle.pk]})


def test_a_page_hears_rows_positions_and_counts_and_goes_on_where_it_stopped(
    site: str, fleet: Fleet, owner: User
) -> None:
    shown = car(fleet, "Ada", charge=50, place=(37.7793, -122.4193))
    other = car(fleet, "Bea", charge=50)
    query = f"since={here(fleet)}&rows={shown.pk}&columns=energy"
    with listening(site, owner, query) as stream:
        tell(shown, 11)
        rows, told = stream.next("rows"), stream.next("fleet")
        assert list(rows.data) == [str(shown.pk)]
        assert "11 %" in rows.data[str(shown.pk)]
        assert "cell-lock" not in rows.data[str(shown.pk)]
        assert told.data["cars"] == [[shown.pk, -122.4193, 37.7793, None, "parked"]]
        assert told.data["counts"]["low"] == 1
        assert told.data["counts"]["all"] == 2
    tell(other, 12)
    with listening(site, owner, query, last=told.id) as stream:
        assert stream.next("fleet").data["gone"] == [other.pk]


def test_rows_are_in_the_language_and_with_the_rights_of_whoever_looks(
    site: str, fleet: Fleet, owner: User, viewer: User
) -> None:
    vehicle = car(fleet, "Ada", locked=True)
    User.objects.filter(pk=viewer.pk).update(language="de")
    query = f"since={here(fleet)}&rows={vehicle.pk}&columns=lock"
    with listening(site, owner, query) as mine, listening(site, viewer, query) as theirs:
        tell(vehicle, 40)
        row, seen = (stream.next("rows").data[str(vehicle.pk)] for stream in (mine, theirs))
    assert "Locked" in row
    assert 'type="checkbox"' in row
    assert "Verriegelt" in seen
    assert 'type="checkbox"' not in seen


def test_a_car_of_another_fleet_is_never_told(site: str, fleet: Fleet, owner: User, outsider: User) -> None:
    red = Fleet.objects.get(slug="red")
    mine, theirs = car(fleet, "Ada"), car(red, "Zoe")
    with listening(site, owner, f"since={here(fleet)}&rows={mine.pk},{theirs.pk}") as stream:
        tell(theirs, 5)
        # Even if somebody announced it to the wrong fleet.
        pubsub.publish_on_commit(channel=Channel.SIGNALS, vehicles={fleet.pk: [theirs.pk, mine.pk]})
        assert list(stream.next("rows").data) == [str(mine.pk)]
        assert stream.next("fleet").data["cars"] == []


def test_the_page_of_one_car_hears_of_that_car_only(site: str, fleet: Fleet, owner: User) -> None:
    shown, other = car(fleet, "Ada"), car(fleet, "Bea")
    with listening(site, owner, f"since={here(fleet)}&car={shown.pk}") as stream:
        tell(other, 5)
        place = pubsub.current_offset(fleet_id=fleet.pk)
        tell(shown, 5)
        assert stream.next("car").id > place


def test_whoever_was_away_for_too_long_loads_everything_anew(site: str, fleet: Fleet, owner: User) -> None:
    car(fleet, "Ada")
    with listening(site, owner, "since=1-0&rows=1") as stream:
        stream.next("resync")


def test_a_stream_that_was_emptied_is_told_once_and_goes_on(
    site: str, fleet: Fleet, owner: User, settings: Any
) -> None:
    vehicle = car(fleet, "Ada")
    with listening(site, owner, f"since={here(fleet)}&rows={vehicle.pk}") as stream:
        tell(vehicle, 40)
        stream.next("fleet")
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.delete(f"live:{fleet.pk}")
        tell(vehicle, 30)
        stream.next("resync")
        assert "30 %" in stream.next("rows").data[str(vehicle.pk)]
        tell(vehicle, 20)
        assert "20 %" in stream.next("rows").data[str(vehicle.pk)]


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_streams_are_for_members_who_may_see(
    request: pytest.FixtureRequest, site: str, fleet: Fleet, person: str, status: int
) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(person))
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    with (
        httpx.Client(base_url=site, cookies=cookies, timeout=20, trust_env=False) as http,
        http.stream("GET", f"/fleets/blue/live/?since={here(fleet)}&rows=") as response,
    ):
        assert response.status_code == status


def test_a_place_that_nobody_gave_out_gets_no_stream(site: str, fleet: Fleet, owner: User) -> None:
    client = Client()
    client.force_login(owner)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    for since in ("", "x", "1-0; DEL", "99999999999999999999-0"):
        answer = httpx.get(
            f"{site}/fleets/blue/live/", params={"since": since}, cookies=cookies, timeout=20, trust_env=False
        )
        assert answer.status_code == 204


def test_a_server_that_cannot_stream_says_so(fleet: Fleet, owner: User) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get(f"/fleets/blue/live/?since={here(fleet)}").status_code == 204


def test_open_streams_hold_no_database_connection(site: str, fleet: Fleet, owner: User) -> None:
    """There are sixteen in the pool: thirty pages and a request would not get theirs."""
    vehicle = car(fleet, "Ada")
    query = f"since={here(fleet)}&rows={vehicle.pk}"
    opened: list[Any] = [listening(site, owner, query) for _ in range(30)]
    streams = [each.__enter__() for each in opened]
    tell(vehicle, 33)
    for stream in streams:
        assert "33 %" in stream.next("rows").data[str(vehicle.pk)]
    began = time.monotonic()
    assert httpx.get(f"{site}/readyz", timeout=20, trust_env=False).status_code == 200
    assert time.monotonic() - began < 9  # the pool would have given up after ten seconds
    for each in opened:
        each.__exit__(None, None, None)


def test_whoever_leaves_the_fleet_gets_no_new_stream(site: str, fleet: Fleet, viewer: User) -> None:
    client = Client()
    client.force_login(viewer)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    Membership.objects.filter(user=viewer).delete()
    answer = httpx.get(
        f"{site}/fleets/blue/live/?since={here(fleet)}", cookies=cookies, timeout=20, trust_env=False
    )
    assert answer.status_code == 404


def test_a_page_that_reads_too_slowly_is_told_to_load_everything_anew() -> None:
    async def scene() -> list[bytes | None]:
        page = ClientStream(fleet_id=1, since="1-0")
        for number in range(100):
            page.send(b"%d" % number)
        return [page.events.get_nowait() for _ in range(page.events.qsize())]

    told = asyncio.run(scene())
    assert told[0] is not None
    assert b"resync" in told[0]
    assert told[-1] == b"99"
