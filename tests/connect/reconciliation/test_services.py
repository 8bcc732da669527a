"""Nightly reconciliation against the simulator, on both API versions: what it repairs, and what it leaves unchanged."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import httpx
import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications
from connect.messages import ReconciliationNote, TokenProblem
from connect.models import (
    ApplicationToken,
    Connection,
    ConnectionState,
    Discrepancy,
    Reconciliation,
    UserToken,
)
from connect.reconciliation import services
from connect.reconciliation.diff import DiscrepancyType
from connect.reconciliation.models import ReconciliationOutcome
from smartcar_api import v3
from smartcar_api.v2 import client
from tests.connect.second import second_application
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


@pytest.fixture
def connected(smartcar: str, fleet: Fleet, owner: User) -> Callable[..., list[Connection]]:
    def connect_vehicles(api_version: SmartcarApiVersion, count: int) -> list[Connection]:
        Fleet.objects.update(api_version=api_version)
        fleet.refresh_from_db()
        connect(smartcar, fleet=fleet, user=owner, count=count)
        Connection.objects.update(state_since=timezone.now() - timedelta(hours=3))
        return list(Connection.objects.select_related("vehicle", "fleet", "tokens").order_by("pk"))

    return connect_vehicles


def end_at_smartcar(smartcar: str, connection: Connection) -> None:
    named = {"userId": connection.smartcar_user_id, "vehicleId": connection.vehicle.smartcar_id}
    httpx.post(f"{smartcar}/control/disconnect", json=named, timeout=30).raise_for_status()


def discrepancies() -> list[tuple[str, bool]]:
    return list(Discrepancy.objects.values_list("kind", "repaired"))


@both
def test_no_discrepancies(
    connected: Callable[..., list[Connection]], api_version: SmartcarApiVersion
) -> None:
    connected(api_version, 3)
    (run,) = services.reconcile_all()
    assert (run.outcome, run.ours, run.theirs) == (ReconciliationOutcome.DONE, 3, 3)
    assert discrepancies() == []
    assert run.fleets.get().connections == 3


@both
def test_all_pages_of_a_list_are_read(
    connected: Callable[..., list[Connection]],
    api_version: SmartcarApiVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "CONNECTIONS_PER_PAGE", 2)
    monkeypatch.setattr(v3, "CONNECTIONS_PER_PAGE", 2)
    connected(api_version, 5)
    (run,) = services.reconcile_all()
    assert (run.ours, run.theirs) == (5, 5)


@both
def test_connection_that_smartcar_no_longer_lists_is_ended(
    smartcar: str, connected: Callable[..., list[Connection]], api_version: SmartcarApiVersion
) -> None:
    gone, *_ = connected(api_version, 5)
    end_at_smartcar(smartcar, gone)
    services.reconcile_all()
    assert discrepancies() == [(DiscrepancyType.GONE, True)]
    gone.refresh_from_db()
    assert gone.state == ConnectionState.REVOKED
    assert gone.transitions.latest("pk").evidence == "nightly reconciliation"
    assert Connection.objects.filter(state=ConnectionState.PENDING).count() == 4


@both
def test_nothing_is_ended_when_all_connections_are_missing(
    smartcar: str, connected: Callable[..., list[Connection]], api_version: SmartcarApiVersion
) -> None:
    for connection in connected(api_version, 4):
        end_at_smartcar(smartcar, connection)
    (run,) = services.reconcile_all()
    assert run.outcome == ReconciliationOutcome.DOUBTED
    assert discrepancies() == [(DiscrepancyType.GONE, False)] * 4
    assert Connection.objects.filter(state=ConnectionState.PENDING).count() == 4


@both
def test_incomplete_list_is_discarded(
    smartcar: str,
    connected: Callable[..., list[Connection]],
    api_version: SmartcarApiVersion,
) -> None:
    gone, *_ = connected(api_version, 3)
    end_at_smartcar(smartcar, gone)
    httpx.post(f"{smartcar}/control/troubles", json={"serverErrors": 1}, timeout=30).raise_for_status()
    (run,) = services.reconcile_all()
    assert run.outcome == ReconciliationOutcome.FAILED
    assert run.problem
    assert discrepancies() == []
    assert not Connection.objects.filter(state=ConnectionState.REVOKED).exists()


def test_connection_that_smartcar_lists_individually_is_not_ended(
    connected: Callable[..., list[Connection]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = connected(SmartcarApiVersion.V3, 3)
    get_lists = services._lists

    def without_first(
        application: applications.Application, api_version: SmartcarApiVersion
    ) -> services.RemoteLists:
        lists = get_lists(application, api_version)
        remaining = tuple(each for each in lists.connections if each.vehicle_id != first.vehicle.smartcar_id)
        return services.RemoteLists(remaining, lists.subscribed)

    monkeypatch.setattr(services, "_lists", without_first)
    services.reconcile_all()
    assert discrepancies() == [(DiscrepancyType.GONE, False)]
    first.refresh_from_db()
    assert first.state == ConnectionState.PENDING


def test_lost_subscription_is_restored(smartcar: str, connected: Callable[..., list[Connection]]) -> None:
    (connection,) = connected(SmartcarApiVersion.V3, 1)
    Connection.objects.update(subscribed_at=timezone.now())
    services.reconcile_all()
    connection.refresh_from_db()
    assert discrepancies() == [(DiscrepancyType.UNSUBSCRIBED, True)]
    assert connection.subscribed_at is None


@both
def test_grant_of_a_connection_removed_here_is_ended_at_smartcar(
    connected: Callable[..., list[Connection]], api_version: SmartcarApiVersion
) -> None:
    leftover, *_ = connected(api_version, 3)
    Connection.objects.filter(pk=leftover.pk).update(
        state=ConnectionState.REMOVED, state_since=timezone.now() - timedelta(milliseconds=1)
    )
    services.reconcile_all()
    assert discrepancies() == [(DiscrepancyType.LEFTOVER, True)]
    (run,) = services.reconcile_all()
    assert run.theirs == 2


def test_unknown_connection_is_reported_and_not_imported(
    connected: Callable[..., list[Connection]],
) -> None:
    stranger, *_ = connected(SmartcarApiVersion.V3, 2)
    Vehicle.objects.filter(pk=stranger.vehicle_id).delete()
    services.reconcile_all()
    discrepancy = Discrepancy.objects.get()
    assert (discrepancy.kind, discrepancy.repaired, discrepancy.connection) == (
        DiscrepancyType.UNKNOWN,
        False,
        None,
    )
    assert Connection.objects.count() == 1


def test_connection_that_smartcar_lists_again_is_restored(connected: Callable[..., list[Connection]]) -> None:
    first, *_ = connected(SmartcarApiVersion.V3, 2)
    Connection.objects.filter(pk=first.pk).update(state=ConnectionState.REVOKED, smartcar_connection_id="old")
    services.reconcile_all()
    assert discrepancies() == [(DiscrepancyType.BACK, True), (DiscrepancyType.NEW_ID, True)]
    first.refresh_from_db()
    assert first.state == ConnectionState.PENDING
    assert first.smartcar_connection_id != "old"


def test_api_versions_of_one_application_dont_report_each_others_connections(
    smartcar: str, connected: Callable[..., list[Connection]], fleet: Fleet, owner: User
) -> None:
    connected(SmartcarApiVersion.V2, 1)
    connected(SmartcarApiVersion.V3, 1)
    assert {run.api_version for run in services.reconcile_all()} == {"v2", "v3"}
    assert discrepancies() == []
    assert UserToken.objects.exists()


def test_second_reconciliation_in_parallel_does_nothing(
    connected: Callable[..., list[Connection]],
) -> None:
    connected(SmartcarApiVersion.V3, 1)
    Reconciliation.objects.create(api_version=SmartcarApiVersion.V3)
    assert services.reconcile_all() == []
    Reconciliation.objects.update(began_at=timezone.now() - timedelta(hours=3))
    (run,) = services.reconcile_all()
    assert run.outcome == ReconciliationOutcome.DONE


# The page


def test_owner_and_manager_see_only_the_report_of_their_own_fleet(
    fleet: Fleet,
    vehicle: Vehicle,
    browser_of: Callable[[User], Client],
    owner: User,
    teammate: User,
    viewer: User,
    driver: User,
    outsider: User,
) -> None:
    red = Fleet.objects.get(slug="red")
    run = Reconciliation.objects.create(api_version="v3", outcome=ReconciliationOutcome.DONE)
    for each in (fleet, red):
        run.fleets.create(fleet=each, connections=1)
    connection = Connection.objects.create(
        fleet=fleet, vehicle=vehicle, smartcar_user_id="user-1", api_version="v3", mode="live"
    )
    Discrepancy.objects.create(
        reconciliation=run,
        connection=connection,
        kind=DiscrepancyType.GONE,
        repaired=True,
        note_code=ReconciliationNote.CONNECTION_ENDED,
    )
    Discrepancy.objects.create(
        reconciliation=run, kind=DiscrepancyType.UNKNOWN, smartcar_vehicle_id="a stranger's car"
    )
    for person, status in ((owner, 200), (teammate, 200), (viewer, 403), (driver, 403), (outsider, 404)):
        assert browser_of(person).get("/fleets/blue/connections/reconciliation/").status_code == status, (
            person
        )
    own = browser_of(owner).get("/fleets/blue/connections/reconciliation/").content.decode()
    other = browser_of(outsider).get("/fleets/red/connections/reconciliation/").content.decode()
    assert str(ReconciliationNote.CONNECTION_ENDED.message()) in unescape(own)
    assert str(ReconciliationNote.CONNECTION_ENDED.message()) not in unescape(other)
    assert "No discrepancies." in other
    assert "stranger" not in own + other


def test_secrets_that_cannot_be_decrypted_fail_only_their_own_reconciliation(
    connected: Callable[..., list[Connection]], smartcar: str, settings: Settings
) -> None:
    connected(SmartcarApiVersion.V3, 2)
    row = second_application(smartcar)
    moved = Connection.objects.order_by("pk").first()
    assert moved is not None
    Connection.objects.filter(pk=moved.pk).update(application=row)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    ApplicationToken.objects.all().delete()
    runs = {run.application_id: run for run in services.reconcile_all()}
    assert runs[None].outcome == ReconciliationOutcome.DONE
    assert runs[row.pk].outcome == ReconciliationOutcome.FAILED
    assert runs[row.pk].problem.message.code == TokenProblem.UNREADABLE.value


@both
def test_repair_without_a_readable_token_is_not_made(
    connected: Callable[..., list[Connection]], settings: Settings, api_version: SmartcarApiVersion
) -> None:
    (connection,) = connected(api_version, 1)
    ended = {"state": ConnectionState.REMOVED, "state_since": timezone.now() - timedelta(milliseconds=1)}
    Connection.objects.filter(pk=connection.pk).update(**ended)
    UserToken.objects.update(
        access_ciphertext=b"unreadable", access_expires_at=timezone.now() + timedelta(days=1)
    )
    (run,) = services.reconcile_all()
    assert run.outcome == ReconciliationOutcome.DONE
    (found,) = Discrepancy.objects.all()
    assert (found.kind, found.repaired) == (DiscrepancyType.LEFTOVER, api_version == SmartcarApiVersion.V3)
