"""The nightly comparison against the simulator, on both API versions; what it heals, and what it leaves alone."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications
from connect.messages import ReconciliationNote
from connect.models import Connection, ConnectionState, Discrepancy, Reconciliation, UserToken
from connect.reconciliation import services
from connect.reconciliation.diff import DiscrepancyType
from connect.reconciliation.models import ReconciliationOutcome
from smartcar_api import v3
from smartcar_api.v2 import client
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


@pytest.fixture
def connected(smartcar: str, fleet: Fleet, owner: User) -> Callable[..., list[Connection]]:
    def go(api_version: SmartcarApiVersion, count: int) -> list[Connection]:
        Fleet.objects.update(api_version=api_version)
        fleet.refresh_from_db()
        connect(smartcar, fleet=fleet, user=owner, count=count)
        Connection.objects.update(state_since=timezone.now() - timedelta(hours=3))
        return list(Connection.objects.select_related("vehicle", "fleet", "tokens").order_by("pk"))

    return go


def end_at_smartcar(smartcar: str, connection: Connection) -> None:
    named = {"userId": connection.smartcar_user_id, "vehicleId": connection.vehicle.smartcar_id}
    httpx.post(f"{smartcar}/control/disconnect", json=named, timeout=30).raise_for_status()


def drifts() -> list[tuple[str, bool]]:
    return list(Discrepancy.objects.values_list("kind", "healed"))


@both
def test_nothing_has_drifted(
    connected: Callable[..., list[Connection]], api_version: SmartcarApiVersion
) -> None:
    connected(api_version, 3)
    (run,) = services.reconcile_all()
    assert (run.outcome, run.ours, run.theirs) == (ReconciliationOutcome.DONE, 3, 3)
    assert drifts() == []
    assert run.fleets.get().connections == 3


@both
def test_lists_of_many_pages_are_read_to_their_end(
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
def test_a_connection_that_smartcar_lists_no_more_is_ended_here(
    smartcar: str, connected: Callable[..., list[Connection]], api_version: SmartcarApiVersion
) -> None:
    gone, *_ = connected(api_version, 5)
    end_at_smartcar(smartcar, gone)
    services.reconcile_all()
    assert drifts() == [(DiscrepancyType.GONE, True)]
    gone.refresh_from_db()
    assert gone.state == ConnectionState.REVOKED
    assert gone.transitions.latest("pk").evidence == "nightly reconciliation"
    assert Connection.objects.filter(state=ConnectionState.PENDING).count() == 4


@both
def test_when_everything_is_missing_nothing_is_ended(
    smartcar: str, connected: Callable[..., list[Connection]], api_version: SmartcarApiVersion
) -> None:
    for connection in connected(api_version, 4):
        end_at_smartcar(smartcar, connection)
    (run,) = services.reconcile_all()
    assert run.outcome == ReconciliationOutcome.DOUBTED
    assert drifts() == [(DiscrepancyType.GONE, False)] * 4
    assert Connection.objects.filter(state=ConnectionState.PENDING).count() == 4


@both
def test_half_a_list_is_no_list(
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
    assert drifts() == []
    assert not Connection.objects.filter(state=ConnectionState.REVOKED).exists()


def test_one_that_smartcar_lists_when_asked_about_it_alone_is_left_alone(
    connected: Callable[..., list[Connection]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = connected(SmartcarApiVersion.V3, 3)
    whole = services._lists

    def without_first(
        application: applications.Application, api_version: SmartcarApiVersion
    ) -> services.RemoteLists:
        lists = whole(application, api_version)
        kept = tuple(each for each in lists.connections if each.vehicle_id != first.vehicle.smartcar_id)
        return services.RemoteLists(kept, lists.subscribed)

    monkeypatch.setattr(services, "_lists", without_first)
    services.reconcile_all()
    assert drifts() == [(DiscrepancyType.GONE, False)]
    first.refresh_from_db()
    assert first.state == ConnectionState.PENDING


def test_a_lost_subscription_is_made_again(smartcar: str, connected: Callable[..., list[Connection]]) -> None:
    (connection,) = connected(SmartcarApiVersion.V3, 1)
    Connection.objects.update(subscribed_at=timezone.now())
    services.reconcile_all()
    connection.refresh_from_db()
    assert drifts() == [(DiscrepancyType.UNSUBSCRIBED, True)]
    assert connection.subscribed_at is None


@both
def test_what_was_removed_here_and_lives_at_smartcar_is_ended_there(
    connected: Callable[..., list[Connection]], api_version: SmartcarApiVersion
) -> None:
    leftover, *_ = connected(api_version, 3)
    Connection.objects.filter(pk=leftover.pk).update(
        state=ConnectionState.REMOVED, state_since=timezone.now() - timedelta(milliseconds=1)
    )
    services.reconcile_all()
    assert drifts() == [(DiscrepancyType.LEFTOVER, True)]
    (run,) = services.reconcile_all()
    assert run.theirs == 2


def test_a_connection_that_nobody_here_made_is_reported_and_not_adopted(
    connected: Callable[..., list[Connection]],
) -> None:
    stranger, *_ = connected(SmartcarApiVersion.V3, 2)
    Vehicle.objects.filter(pk=stranger.vehicle_id).delete()
    services.reconcile_all()
    drift = Discrepancy.objects.get()
    assert (drift.kind, drift.healed, drift.connection) == (DiscrepancyType.UNKNOWN, False, None)
    assert Connection.objects.count() == 1


def test_one_that_smartcar_lists_again_stands_again(connected: Callable[..., list[Connection]]) -> None:
    first, *_ = connected(SmartcarApiVersion.V3, 2)
    Connection.objects.filter(pk=first.pk).update(state=ConnectionState.REVOKED, smartcar_connection_id="old")
    services.reconcile_all()
    assert drifts() == [(DiscrepancyType.BACK, True), (DiscrepancyType.NEW_ID, True)]
    first.refresh_from_db()
    assert first.state == ConnectionState.PENDING
    assert first.smartcar_connection_id != "old"


def test_both_generations_of_one_application_do_not_call_each_others_unknown(
    smartcar: str, connected: Callable[..., list[Connection]], fleet: Fleet, owner: User
) -> None:
    connected(SmartcarApiVersion.V2, 1)
    connected(SmartcarApiVersion.V3, 1)
    assert {run.api_version for run in services.reconcile_all()} == {"v2", "v3"}
    assert drifts() == []
    assert UserToken.objects.exists()


def test_a_second_comparison_beside_the_first_does_nothing(
    connected: Callable[..., list[Connection]],
) -> None:
    connected(SmartcarApiVersion.V3, 1)
    Reconciliation.objects.create(api_version=SmartcarApiVersion.V3)
    assert services.reconcile_all() == []
    Reconciliation.objects.update(began_at=timezone.now() - timedelta(hours=3))
    (run,) = services.reconcile_all()
    assert run.outcome == ReconciliationOutcome.DONE


# The page


def test_owner_and_manager_see_their_own_fleets_report_only(
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
        comparison=run,
        connection=connection,
        kind=DiscrepancyType.GONE,
        healed=True,
        note_code=ReconciliationNote.CONNECTION_ENDED,
    )
    Discrepancy.objects.create(
        comparison=run, kind=DiscrepancyType.UNKNOWN, smartcar_vehicle_id="a stranger's car"
    )
    for person, status in ((owner, 200), (teammate, 200), (viewer, 403), (driver, 403), (outsider, 404)):
        assert browser_of(person).get("/fleets/blue/connections/reconciliation/").status_code == status, (
            person
        )
    mine = browser_of(owner).get("/fleets/blue/connections/reconciliation/").content.decode()
    theirs = browser_of(outsider).get("/fleets/red/connections/reconciliation/").content.decode()
    assert str(ReconciliationNote.CONNECTION_ENDED.message()) in unescape(mine)
    assert str(ReconciliationNote.CONNECTION_ENDED.message()) not in unescape(theirs)
    assert "No discrepancies." in theirs
    assert "stranger" not in mine + theirs
