"""No address of the site answers odd values with a server error: each is crawled with a table of them, as an owner.

A finding names the request, so that it can be repeated. Requests change nothing: each runs in a savepoint.
"""

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.db import models, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import Fleet, MemberInvitation, Membership, User
from accounts.tokens.services import issue_token
from alerts.models import Alert
from alerts.types import AlertType
from commands.bulk.models import BulkCommand
from commands.models import Command
from connect.models import (
    ApiMigration,
    BulkRequest,
    Connection,
    ConnectionState,
    DriverPortal,
    GrantRevocation,
    Invitation,
    OffboardingRequest,
)
from core.signed_links import SignedLink, hash_token
from tests.fleet.hostile import (
    FORM_VALUES,
    JSON_BODIES,
    PATH_VALUES,
    QUERY_VALUES,
    WORST_VALUES,
    Address,
    Recorder,
    addresses,
)
from tests.smartcar import reset_budget
from tests.vehicles.readings import NOON, read
from vehicles import catalogue
from vehicles.models import LatestSignal, Place, Vehicle
from webhooks.models import EntryState, InboxEntry
from webhooks.signature import sign

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.no_cover]
ALL = addresses()
ADMIN_NAMES = (
    "q",
    "o",
    "p",
    "e",
    "all",
    "_popup",
    "_to_field",
    "_changelist_filters",
    "id__exact",
    "id__gte",
    "pk__in",
)
# What the pages of one row read.
ADMIN_ROW_NAMES = ("_popup", "_to_field", "_changelist_filters")
HEADER_PATHS = (
    "/",
    "/accounts/sign-in/",
    "/accounts/confirm/",
    "/fleets/%(slug)s/",
    "/fleets/%(slug)s/live/",
    "/fleets/%(slug)s/places/new/",
    "/fleets/%(slug)s/vehicles/%(smartcar_id)s/",
    "/fleets/%(slug)s/vehicles/%(smartcar_id)s/commands/%(kind)s/",
    "/connect/driver/%(secret)s/",
    "/connect/callback/",
    "/webhooks/smartcar/",
    "/api/v1/vehicles/",
    "/api/v1/schema/",
    "/api/v1/vehicles/%(smartcar_id)s/commands/",
)
JSON_PATHS = ("/api/v1/", "/webhooks/smartcar", "/connect/callback/")


@pytest.fixture
def ids(fleet: Fleet, owner: User, vehicle: Vehicle) -> dict[str, Any]:
    """A row of each kind, and the values of the names in addresses that lead to it."""
    now = timezone.now()
    member = Membership.objects.get(user=owner, fleet=fleet)
    read(vehicle, [(NOON, 50.0)])
    LatestSignal.objects.create(
        vehicle=vehicle,
        code=catalogue.STATE_OF_CHARGE.code,
        body={"value": 50, "unit": "percent"},
        status="SUCCESS",
        reported_at=now,
        observed_at=now,
    )
    connection = Connection.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        smartcar_user_id="user",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
    times = {"requested_at": now, "expires_at": now}
    bulk = BulkCommand.objects.create(fleet=fleet, kind="lock", requested_by=owner, **times)
    command = Command.objects.create(
        fleet=fleet, vehicle=vehicle, connection=connection, bulk=bulk, kind="lock", api_version="v3", **times
    )
    entry = InboxEntry.objects.create(
        received_at=timezone.now(),
        body=b"{}",
        smartcar_vehicle_id=vehicle.smartcar_id,
        state=EntryState.PROCESSED,
    )
    Alert.objects.create(
        fleet=fleet,
        vehicle=vehicle,
        kind=AlertType.BATTERY,
        payload={"level": 12, "threshold": 20, "fuel": False},
        subject_id=vehicle.pk,
        opened_at=now,
        last_raised_at=now,
    )
    offboarding = OffboardingRequest.objects.create(
        fleet=fleet, vehicle=vehicle, connection=connection, by_driver=True, extent="nothing", until=now
    )
    GrantRevocation.objects.create(offboarding=offboarding, connection=connection)
    ApiMigration.objects.create(fleet=fleet, api_version="v3", started_by=owner)
    driver = _signed(DriverPortal(fleet=fleet, smartcar_user_id="user", driver_name="Jo"))
    invitation = _signed(
        Invitation(fleet=fleet, created_by=owner, driver_name="Jo", scopes=["read_battery"], mode="live")
    )
    invited = _signed(
        MemberInvitation(fleet=fleet, created_by=owner, email="jo@fleet.example", role="viewer")
    )
    return {
        "slug": fleet.slug,
        "smartcar_id": vehicle.smartcar_id,
        "code": catalogue.STATE_OF_CHARGE.code,
        "kind": "lock",
        "action": "pause",
        "purpose": "connect",
        "connection_id": connection.pk,
        "vehicle_id": vehicle.pk,
        "place_id": Place.objects.create(fleet=fleet, name="Depot", latitude=52.5, longitude=13.4).pk,
        "membership_id": member.pk,
        "token_id": issue_token(membership=member, name="Script").token.pk,
        "offboarding_id": offboarding.pk,
        "page_id": driver.pk,
        "bulk_id": bulk.pk,
        "request_id": BulkRequest.objects.create(fleet=fleet, purpose="sign_in", created_by=owner).pk,
        "command_id": command.pk,
        "entry_id": entry.pk,
        "delivery_id": entry.pk,
        "secret": driver.secret,
        "/connect/invitation/": invitation.secret,
        "/accounts/invitation/": invited.secret,
        "/members/invitations/": invited.pk,
        "/invitations/": invitation.pk,
    }


def _signed(row: Any) -> Any:
    link: SignedLink = row
    link.secret_hash = hash_token(link.secret)
    link.save()
    return link


class Crawler:
    """Sends requests as an owner who is also staff, and collects those that end in a server error."""

    def __init__(self, user: User, ids: dict[str, Any]) -> None:
        self.client = Client(raise_request_exception=False)
        self.client.force_login(user)
        self.cookies = self.client.cookies.copy()
        self.ids = ids
        self.failures: list[str] = []
        self.count = 0

    def values(self, address: Address) -> dict[str, str]:
        """The values that lead to existing rows."""
        found = {name: str(self.ids.get(name, 1)) for name in address.names}
        for prefix, value in self.ids.items():
            name = "secret" if prefix.startswith(("/connect/", "/accounts/")) else "invitation_id"
            if prefix.startswith("/") and prefix in address.form and name in found:
                found[name] = str(value)
                break
        if "object_id" in found and (row := _first_row(address)):
            found["object_id"] = str(row.pk)
        return found

    def path(self, address: Address, **changed: str) -> str:
        return address.form % (self.values(address) | changed)

    def send(
        self,
        method: str,
        path: str,
        data: bytes = b"",
        kind: str = "application/x-www-form-urlencoded",
        **headers: str,
    ) -> int:
        """Returns the status of the response, after reading its body."""
        self.count += 1
        self.client.cookies = SimpleCookie(self.cookies)
        with transaction.atomic():
            answer = self.client.generic(method, path, data, content_type=kind, headers=headers)
            if answer.status_code < 500 and answer.streaming:
                b"".join(answer)
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            raised = getattr(answer, "exc_info", None)
            error = raised[1] if raised else ""
            self.failures.append(
                f"{method} {path[:160]} {data[:80]!r} {headers or ''}: {answer.status_code} {error!r:.200}"
            )
        return answer.status_code

    def names_read(self, method: str, path: str) -> list[str]:
        """The names of query parameters or fields that the view reads."""
        Recorder.seen.clear()
        self.send(method, path)
        return sorted(Recorder.seen - {"csrfmiddlewaretoken"})


def _first_row(address: Address) -> models.Model | None:
    _, _, label, name, *_ = address.form.split("/")
    if name not in apps.all_models[label]:
        return None
    model: Any = apps.get_model(label, name)
    row: models.Model | None = model._default_manager.first()
    return row


@pytest.fixture
def crawler(
    owner: User, ids: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Crawler]:
    reset_budget()
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    settings.ACCOUNT_RATE_LIMITS = False
    settings.MIDDLEWARE = [*site.MIDDLEWARE, "tests.fleet.hostile.RecordingMiddleware"]
    monkeypatch.setattr(SimpleRateThrottle, "get_rate", lambda _: "1000000/second")
    crawler = Crawler(User.objects.get(pk=owner.pk), ids)
    yield crawler
    assert not crawler.failures, f"{len(crawler.failures)} of {crawler.count}:\n" + "\n".join(
        crawler.failures
    )


def _is_admin(address: Address) -> bool:
    return address.form.startswith("/admin/")


def _is_api(address: Address) -> bool:
    return address.form.startswith("/api/")


def test_every_address_is_reached(crawler: Crawler) -> None:
    """The rows of `ids` lead to the pages themselves, so that the other tests don't only see 404."""
    statuses = {each.form: crawler.send("GET", crawler.path(each)) for each in ALL if not _is_admin(each)}
    missing = {form for form, status in statuses.items() if status == 404}
    assert missing <= {
        "/api/",
        "/accounts/passkeys/%(pk)s/remove/",
        "/accounts/passkeys/%(pk)s/rename/",
        "/accounts/two-factor/app/remove/",
        "/accounts/two-factor/codes/",
        "/accounts/two-factor/codes/file/",
    }


@pytest.mark.parametrize("value", PATH_VALUES, ids=lambda value: value[:12])
def test_odd_values_in_paths(crawler: Crawler, value: str) -> None:
    for address in ALL:
        for name in address.names if not _is_admin(address) or value in WORST_VALUES else ():
            crawler.send("GET", crawler.path(address, **{name: value}))
    crawler.send("GET", f"/{value}")
    crawler.send("GET", f"/{value}/")


def test_odd_values_in_posted_paths(crawler: Crawler) -> None:
    for address in ALL:
        for name in address.names if not _is_admin(address) else ():
            for value in ("%00", "9" * 40):
                crawler.send("POST", crawler.path(address, **{name: value}))


def test_odd_values_in_queries_of_pages(crawler: Crawler) -> None:
    for address in ALL:
        if not _is_admin(address) and not _is_api(address):
            path = crawler.path(address)
            names = crawler.names_read("GET", path)
            for value in QUERY_VALUES if names else ("%00",):
                crawler.send("GET", path + "?" + "&".join(f"{name}={value}" for name in (*names, "unknown")))
            for name in names if len(names) > 1 else ():
                for value in WORST_VALUES:
                    crawler.send("GET", f"{path}?{name}={value}")


def test_odd_values_in_queries_of_the_api(crawler: Crawler) -> None:
    for address in ALL:
        if _is_api(address):
            path = crawler.path(address)
            names = re.findall(
                r"\w+", crawler.client.get(f"{path}?unknown=1").content.decode().partition("There are: ")[2]
            )
            for name in (*names, "cursor", "page"):
                for value in QUERY_VALUES:
                    crawler.send("GET", f"{path}?{name}={value}")


@pytest.mark.parametrize(
    ("start", "end"),
    [("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"), ("9999-12-30T00:00:00Z", "9999-12-31T23:59:59Z")],
)
def test_the_first_and_last_day_of_all(crawler: Crawler, start: str, end: str) -> None:
    for address in ALL:
        if "/history/" in address.form and not _is_admin(address):
            for resolution in ("raw", "hour", "day", "100"):
                query = f"from={start}&to={end}" + (f"&resolution={resolution}" if _is_api(address) else "")
                crawler.send("GET", f"{crawler.path(address)}?{query}")


def test_odd_values_in_queries_of_the_admin(crawler: Crawler) -> None:
    for address in ALL:
        if _is_admin(address) and not address.form.endswith(("/add/", "/delete/", "/history/", "logout/")):
            path = crawler.path(address)
            for name in ADMIN_ROW_NAMES if address.names else ADMIN_NAMES:
                for value in ("%00", "9" * 40, "0001-01-01", "x"):
                    crawler.send("GET", f"{path}?{name}={value}")


def test_odd_values_in_forms(crawler: Crawler) -> None:
    for address in ALL:
        if not _is_admin(address) and not _is_api(address):
            path = crawler.path(address)
            names = crawler.names_read("POST", path)
            for value in FORM_VALUES if names else ():
                crawler.send("POST", path, "&".join(f"{name}={value}" for name in names).encode())


def test_odd_bodies(crawler: Crawler) -> None:
    token = site.SMARTCAR_MANAGEMENT_TOKENS[0]
    for address in ALL:
        if address.form.startswith(JSON_PATHS):
            for body in JSON_BODIES:
                for method in ("POST", "PUT", "PATCH", "DELETE"):
                    crawler.send(method, crawler.path(address), body, "application/json")
                signed = sign(token=token, message=body)
                crawler.send(
                    "POST", crawler.path(address), body, "application/json", **{"SC-Signature": signed}
                )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Type", "text/plain; charset=hex"),
        ("Content-Type", "application/x-www-form-urlencoded; charset=rot13"),
        ("Content-Type", "multipart/form-data"),
        ("Content-Type", "multipart/form-data; boundary=" + "x" * 5000),
        ("Content-Length", "9" * 4300),
        ("Content-Length", "-1"),
        ("Content-Length", "x"),
        (
            "Cookie",
            'sessionid="\\000bcdefghijkl"; csrftoken="\\000"; fleet_columns="\\000"; messages="\\377:x"',
        ),
        ("Cookie", "sessionid=" + "x" * 5000),
        ("Accept-Language", "x" * 5000),
        ("Accept-Language", "de-\xff;q=nan, *;q=1e9"),
        ("Accept", "text/;q=x, ,*"),
        ("If-None-Match", '"\xff'),
        ("If-Modified-Since", "Sun, 31 Dec 99999 23:59:59 GMT"),
        ("Range", "bytes=-9"),
        ("Last-Event-ID", "9" * 5000),
        ("Idempotency-Key", "\xff" * 5000),
        ("Authorization", "Bearer scf_\xff"),
        ("Authorization", "Bearer"),
        ("HX-Current-URL", "http://["),
        ("HX-Request", "true"),
        ("Referer", "http://["),
        ("Origin", "http://["),
        ("X-Forwarded-For", "unknown, 1.2.3.4:5, [::1]:80"),
        ("User-Agent", "\xff" * 5000),
    ],
    ids=lambda text: text[:20],
)
def test_odd_headers(crawler: Crawler, name: str, value: str) -> None:
    for address in (each for each in ALL if each.form in HEADER_PATHS):
        path = crawler.path(address)
        if name == "Content-Type":
            crawler.send("GET", f"{path}?q=%41", b"", value)
            crawler.send("POST", path, b"q=%41&q=%FF", value)
        else:
            header: dict[str, Any] = {name: value}
            crawler.send("GET", path, **header)
            crawler.send("POST", path, b"q=1", **header)


@pytest.mark.parametrize("agent", ["unknown", "1.2.3.4:56", "[::1]:80", "\xff", "1.2.3.4, x"])
def test_odd_client_addresses_at_sign_in(owner: User, settings: Settings, agent: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT, settings.ACCOUNT_RATE_LIMITS = 1, False
    owner.set_password("a long password of ours")
    owner.save()
    client = Client(headers={"X-Forwarded-For": agent})
    answer = client.post("/accounts/sign-in/", {"login": owner.email, "password": "a long password of ours"})
    assert answer.status_code in (200, 302, 400, 403)
