"""Members' pages of connections, invitations, removals, usage and setup: each in the language of whoever looks."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect.connections.next_actions import next_action
from connect.driver_portal import services as drivers
from connect.messages import (
    OffboardingProblem,
    ReconciliationNote,
    StateEvidence,
    StateReason,
    SubscriptionProblem,
)
from connect.models import Connection, ConnectionState, DriverPortal, Invitation, PendingIssue, VehicleUsage
from connect.offboarding.models import ErasureScope, OffboardingRequest
from connect.offboarding.services import offboard_vehicle
from connect.reconciliation.diff import DiscrepancyType
from connect.reconciliation.models import (
    Discrepancy,
    FleetReconciliation,
    Reconciliation,
    ReconciliationOutcome,
)
from connect.scopes import FLEET_SCOPES
from connect.status import reasons
from connect.status.states import DEGRADED
from connect.usage import quota
from connect.v2.api_migration.models import (
    ApiMigration,
    ConnectionMigration,
    ConnectionMigrationState,
    MigrationState,
)
from core.mail.models import EmailError, EmailState, OutgoingEmail
from smartcar_api.error_messages import ErrorMessage
from smartcar_api.ratelimit.priority import CallPurpose
from tests.connect.invited import invited
from tests.languages import read, untranslated_texts
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
translated = pytest.mark.parametrize("language", ["de", "fr"])
NAMES = {
    "Blue Fleet", "Dana", "Van 1", "Van 2", "Tesla Model 3 2022", "Tesla.", "owner@fleet.example", "dana@example.com",
    "Smartcar API v3",
    "Van 1:",
}  # fmt: skip
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z_]+")


@pytest.fixture
def connection(vehicle: Vehicle, owner: User) -> Connection:
    """A car with a history of its connection, one of its driver's pages, an open link and a suspicion."""
    made = Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version=SmartcarApiVersion.V3,
        mode="simulated",
        scopes=["read_vehicle_info", "read_location", "read_something_new"],
        subscription_error_code=SubscriptionProblem.NO_WEBHOOK,
    )
    now = timezone.now()
    made.move_to(
        ConnectionState.ACTIVE,
        reason=StateReason.DATA_RECEIVED.message(),
        now=now,
        evidence=StateEvidence.FRESH_DATA.message(),
    )
    PendingIssue.objects.create(
        connection=made, state=ConnectionState.REVOKED, error="RESOURCE_NOT_FOUND", source="call", since=now
    )
    invitation = invited(fleet=vehicle.fleet, user=owner, driver_email="dana@example.com")
    drivers.portal_after_authorization(invitation=invitation, smartcar_user_id="user-1")
    return made


def left(page: str, english: str, language: str) -> set[str]:
    """What the page says in English, but for names and identifiers."""
    said = untranslated_texts(page, english, language) - NAMES
    return {text for text in said if not _IDENTIFIER.fullmatch(text)}


def left_on(client: Client, path: str, language: str) -> set[str]:
    return left(read(client, path, language), read(client, path), language)


@translated
@pytest.mark.parametrize("state", ConnectionState)
def test_a_connection_says_its_state_cause_and_next_step(
    connection: Connection, owner: User, browser_of: BrowserOf, language: str, state: ConnectionState
) -> None:
    connection.move_to(
        state,
        reason=reasons.reason_for(state, "") or StateReason.DATA_RECEIVED.message(),
        now=timezone.now(),
        evidence=StateEvidence.CALENDAR.message(),
    )
    for path in ("/fleets/blue/connections/?state=" + state, f"/fleets/blue/connections/{connection.pk}/"):
        assert left_on(browser_of(owner), path, language) == set()


@translated
def test_lists_full_and_empty(
    settings: Settings, connection: Connection, owner: User, browser_of: BrowserOf, language: str
) -> None:
    settings.EMAIL_ENABLED = True
    fleet, now = connection.fleet, timezone.now()
    for column in ("used_at", "revoked_at", "expires_at"):
        Invitation.objects.filter(pk=invited(fleet=fleet, user=owner).pk).update(**{column: now})
    invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@example.com")
    OutgoingEmail.objects.update(state=EmailState.FAILED, error=EmailError.UNREACHABLE)
    night = Reconciliation.objects.create(
        api_version=SmartcarApiVersion.V3, outcome=ReconciliationOutcome.DONE
    )
    FleetReconciliation.objects.create(comparison=night, fleet=fleet, connections=1)
    Discrepancy.objects.create(
        comparison=night,
        connection=connection,
        kind=DiscrepancyType.GONE,
        note_code=ReconciliationNote.TOO_MANY_MISSING,
    )
    failed = Reconciliation.objects.create(
        api_version=SmartcarApiVersion.V3,
        outcome=ReconciliationOutcome.FAILED,
        problem_code=ReconciliationNote.INTERRUPTED,
    )
    FleetReconciliation.objects.create(comparison=failed, fleet=fleet, connections=2)
    VehicleUsage.objects.create(
        vehicle=connection.vehicle, month=quota.billing_month(now), purpose=CallPurpose.COMMAND, calls=500
    )
    quota.set_monthly_limit(fleet=fleet, calls=500, actor=owner)
    for path in (
        "/fleets/blue/invitations/",
        "/fleets/blue/drivers/",
        "/fleets/blue/connections/reconciliation/",
        "/fleets/blue/usage/",
        "/fleets/blue/connections/?q=nobody",
        f"/fleets/blue/vehicles/{connection.vehicle.smartcar_id}/disconnect/",
    ):
        assert left_on(browser_of(owner), path, language) == set(), path


@translated
def test_empty_pages(fleet: Fleet, owner: User, browser_of: BrowserOf, language: str) -> None:
    for path in (
        "/fleets/blue/connections/",
        "/fleets/blue/invitations/",
        "/fleets/blue/drivers/",
        "/fleets/blue/connections/reconciliation/",
        "/fleets/blue/offboarding/",
        "/fleets/blue/integration/",
        "/fleets/blue/usage/",
    ):
        assert left_on(browser_of(owner), path, language) == set(), path


@translated
def test_removals_and_their_proof(
    connection: Connection, owner: User, browser_of: BrowserOf, language: str
) -> None:
    removal = offboard_vehicle(vehicle=connection.vehicle, extent=ErasureScope.EVERYTHING, user=owner)
    told = {removal.vehicle.smartcar_id, "Tesla Model 3 2022"}
    for problem in ("", OffboardingProblem.STILL_LISTED):
        OffboardingRequest.objects.update(
            problem_code=problem, next_try_at=timezone.now() if problem else None
        )
        for path in ("/fleets/blue/offboarding/", f"/fleets/blue/offboarding/{removal.pk}/"):
            assert left_on(browser_of(owner), path, language) - told == set(), path


@translated
@pytest.mark.parametrize("state", MigrationState)
def test_the_move_to_another_generation(
    connection: Connection, owner: User, browser_of: BrowserOf, language: str, state: MigrationState
) -> None:
    move = ApiMigration.objects.create(
        fleet=connection.fleet,
        api_version=SmartcarApiVersion.V2,
        started_by=owner,
        state=state,
        ended_at=timezone.now(),
    )
    ConnectionMigration.objects.create(
        move=move,
        connection=connection,
        state=ConnectionMigrationState.WAITING
        if state == MigrationState.RUNNING
        else ConnectionMigrationState.STAYED,
        reason_code=ErrorMessage.GATEWAY,
    )
    assert left_on(browser_of(owner), "/fleets/blue/integration/", language) == set()


@translated
@pytest.mark.parametrize("own", ["", "client_id"])
def test_what_is_wrong_with_the_credentials(
    smartcar: str,
    settings: Settings,
    fleet: Fleet,
    owner: User,
    browser_of: BrowserOf,
    language: str,
    own: str,
) -> None:
    if own:
        settings.SMARTCAR_CLIENT_ID = settings.SMARTCAR_APPLICATION_ID
        settings.SMARTCAR_WEBHOOK_ID = ""
    client = browser_of(owner)
    page, english = (
        client.post("/fleets/blue/integration/check/", headers={"accept-language": asked}).content.decode()
        for asked in (language, "en")
    )
    assert left(page, english, language) == set()


@translated
def test_what_a_deed_came_to_and_what_a_form_lacks(
    connection: Connection, owner: User, browser_of: BrowserOf, language: str
) -> None:
    invitation = Invitation.objects.get()
    page = DriverPortal.objects.get()
    deeds: list[tuple[str, dict[str, str]]] = [
        ("/fleets/blue/invitations/", {"vin": "I", "make": "1", "country": "Germany"}),
        (f"/fleets/blue/invitations/{invitation.pk}/revoke/", {}),
        (f"/fleets/blue/invitations/{invitation.pk}/revoke/", {}),
        (f"/fleets/blue/connections/{connection.pk}/link/", {"purpose": "sign_in", "by_email": "on"}),
        (f"/fleets/blue/connections/{connection.pk}/check/", {}),
        (f"/fleets/blue/drivers/{page.pk}/renew/", {}),
        (f"/fleets/blue/vehicles/{connection.vehicle.smartcar_id}/disconnect/", {"extent": "places"}),
        ("/fleets/blue/integration/migration/", {"api_version": "v4"}),
        ("/fleets/blue/integration/migration/", {"api_version": "v2"}),
        ("/fleets/blue/integration/migration/stop/", {}),
        ("/fleets/blue/usage/limit/", {"calls": "many"}),
        ("/fleets/blue/usage/limit/", {"calls": "10"}),
    ]
    client = browser_of(owner)
    for path, values in deeds:
        answer = client.post(path, values, headers={"accept-language": language}, follow=True)
        assert answer.status_code in (200, 400), path
        assert left(answer.content.decode(), "", language) == set(), path


def test_a_member_reads_their_own_language_and_a_driver_theirs(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    User.objects.update(language="fr")
    page = DriverPortal.objects.get()
    drivers.choose_language(page=page, language="de")
    client = browser_of(owner)
    assert '<html lang="fr"' in read(client, "/fleets/blue/invitations/", "en")
    assert '<html lang="de"' in read(client, page.path, "en")


@pytest.mark.parametrize("state", DEGRADED)
def test_next_steps_are_in_the_language(connection: Connection, state: ConnectionState) -> None:
    connection.state = state
    step = next_action(connection, now=timezone.now() + timedelta(hours=1))
    english = (str(step.label), str(step.text))
    with translation.override("de"):
        assert not set(english) & {str(step.label), str(step.text)}


def test_scopes_are_asked_for_in_the_language(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    page = read(browser_of(owner), "/fleets/blue/invitations/", "de")
    assert len(FLEET_SCOPES) == page.count('name="scopes"')
    assert "Ladestatus" in page
