"""Reading a vehicle through the API into the inbox, on both API versions, against the simulator."""

import time

import httpx
import pytest
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications, token_store
from connect.gateway import CallPurpose
from connect.models import ApplicationToken, Connection
from core import encryption
from smartcar_api import SmartcarError
from tests.smartcar import connect, register_webhook, subscribe
from vehicles import catalogue
from vehicles.models import LatestSignal
from webhooks import polling, processing, tasks
from webhooks.models import EntryState, InboxEntry, Source


@pytest.fixture
def connection(
    smartcar: str,
    live_server: object,
    settings: Settings,
    fleet: Fleet,
    owner: User,
    api_version: SmartcarApiVersion,
) -> Connection:
    """A connected and subscribed vehicle. Smartcar's v3 store contains only subscribed signals."""
    register_webhook(smartcar, f"{settings.SITE_URL}/webhooks/smartcar/")
    fleet.api_version = api_version
    fleet.save()
    (connection,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    subscribe(connection)
    deadline = time.monotonic() + 20
    while not InboxEntry.objects.filter(source=Source.WEBHOOK).exists():
        assert time.monotonic() < deadline, "the first delivery did not come"
        time.sleep(0.1)
    return Connection.objects.get()


both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
v3 = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V3])
pytestmark = pytest.mark.django_db(transaction=True)


@both
def test_read_values_are_recorded(connection: Connection, api_version: SmartcarApiVersion) -> None:
    entry = polling.fetch_now(connection=connection, purpose=CallPurpose.PERSON)
    assert entry.source == (Source.PULL_V2 if api_version == SmartcarApiVersion.V2 else Source.PULL_V3)
    processing.process_waiting()
    entry.refresh_from_db()
    assert entry.state == EntryState.PROCESSED
    assert InboxEntry.objects.filter(source=entry.source).count() == 1
    codes = set(LatestSignal.objects.filter(body__isnull=False).values_list("code", flat=True))
    assert catalogue.ODOMETER.code in codes
    assert catalogue.PRECISE_LOCATION.code in codes


@both
def test_failed_read_stores_nothing_in_the_inbox(connection: Connection, smartcar: str) -> None:
    before = InboxEntry.objects.exclude(source=Source.WEBHOOK).count()
    httpx.post(f"{smartcar}/control/troubles", json={"serverErrors": 1}, timeout=30).raise_for_status()
    with pytest.raises(SmartcarError):
        polling.fetch_now(connection=connection, purpose=CallPurpose.PERSON)
    tasks.fetch_vehicle(connection.pk)
    assert InboxEntry.objects.exclude(source=Source.WEBHOOK).count() == before


@v3
def test_read_rejected_for_the_application_token_fetches_another(connection: Connection) -> None:
    token_store.application_access(application=applications.default_application(), user_id="user")
    ApplicationToken.objects.update(token_ciphertext=encryption.encrypt("stale"))
    assert polling.fetch_now(connection=connection, purpose=CallPurpose.PERSON).pk
