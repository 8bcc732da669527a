"""Members' pages on connections, invitations, offboarding, usage and setup: each in the language of the member."""

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
from connect.scopes import SCOPES
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
    "Smartcar API v3", "Tesla Business Fleet",
    "Van 1:",
}  # fmt: skip
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z_]+")


@pytest.fixture
def connection(vehicle: Vehicle, owner: User) -> Connection:
    """A vehicle with a connection history, a portal of its driver, an open link and a pending issue."""
    connection = Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version=SmartcarApiVersion.V3,
        mode="simulated",
        scopes=["read_vehicle_info", "read_location", "read_something_new"],
        subscription_error_code=SubscriptionProblem.NO_WEBHOOK,
    )
    now = timezone.now()
    connection.move_to(
        ConnectionState.ACTIVE,
        reason=StateReason.DATA_RECEIVED.message(),
        now=now,
        evidence=StateEvidence.FRESH_DATA.message(),
    )
    PendingIssue.objects.create(
        connection=connection,
        state=ConnectionState.REVOKED,
        error="RESOURCE_NOT_FOUND",
        source="call",
        since=now,
    )
    invitation = invited(fleet=vehicle.fleet, user=owner, driver_email="dana@example.com")
    drivers.portal_after_authorization(invitation=invitation, smartcar_user_id="user-1")
    return connection


def untranslated(page: str, english: str, language: str) -> set[str]:
    """Returns the English texts of the page, except names and identifiers."""
    texts = untranslated_texts(page, english, language) - NAMES
    return {text for text in texts if not _IDENTIFIER.fullmatch(text)}


def untranslated_on(client: Client, path: str, language: str) -> set[str]:
    return untranslated(read(client, path, language), read(client, path), language)


@translated
@pytest.mark.parametrize("state", ConnectionState)
def test_connection_shows_its_status_cause_and_next_action(
    connection: Connection, owner: User, browser_of: BrowserOf, language: str, state: ConnectionState
) -> None:
    connection.move_to(
        state,
        reason=reasons.reason_for(state, "") or StateReason.DATA_RECEIVED.message(),
        now=timezone.now(),
        evidence=StateEvidence.CALENDAR.message(),
    )
    for path in ("/fleets/blue/connections/?state=" + state, f"/fleets/blue/connections/{connection.pk}/"):
        assert untranslated_on(browser_of(owner), path, language) == set()


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
    FleetReconciliation.objects.create(reconciliation=night, fleet=fleet, connections=1)
    Discrepancy.objects.create(
        reconciliation=night,
        connection=connection,
        kind=DiscrepancyType.GONE,
        note_code=ReconciliationNote.TOO_MANY_MISSING,
    )
    failed = Reconciliation.objects.create(
        api_version=SmartcarApiVersion.V3,
        outcome=ReconciliationOutcome.FAILED,
        problem_code=ReconciliationNote.INTERRUPTED,
    )
    FleetReconciliation.objects.create(reconciliation=failed, fleet=fleet, connections=2)
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
        assert untranslated_on(browser_of(owner), path, language) == set(), path


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
        assert untranslated_on(browser_of(owner), path, language) == set(), path


@translated
def test_offboarding_pages_and_receipt(
    connection: Connection, owner: User, browser_of: BrowserOf, language: str
) -> None:
    offboarding = offboard_vehicle(vehicle=connection.vehicle, extent=ErasureScope.EVERYTHING, user=owner)
    names = {offboarding.vehicle.smartcar_id, "Tesla Model 3 2022"}
    for problem in ("", OffboardingProblem.STILL_LISTED):
        OffboardingRequest.objects.update(
            problem_code=problem, next_try_at=timezone.now() if problem else None
        )
        for path in ("/fleets/blue/offboarding/", f"/fleets/blue/offboarding/{offboarding.pk}/"):
            assert untranslated_on(browser_of(owner), path, language) - names == set(), path


@translated
@pytest.mark.parametrize("state", MigrationState)
def test_api_migration_page(
    connection: Connection, owner: User, browser_of: BrowserOf, language: str, state: MigrationState
) -> None:
    migration = ApiMigration.objects.create(
        fleet=connection.fleet,
        api_version=SmartcarApiVersion.V2,
        started_by=owner,
        state=state,
        ended_at=timezone.now(),
    )
    ConnectionMigration.objects.create(
        move=migration,
        connection=connection,
        state=ConnectionMigrationState.WAITING
        if state == MigrationState.RUNNING
        else ConnectionMigrationState.STAYED,
        reason_code=ErrorMessage.GATEWAY,
    )
    assert untranslated_on(browser_of(owner), "/fleets/blue/integration/", language) == set()


@translated
@pytest.mark.parametrize("wrong_setting", ["", "client_id"])
def test_results_of_the_credential_check(
    smartcar: str,
    settings: Settings,
    fleet: Fleet,
    owner: User,
    browser_of: BrowserOf,
    language: str,
    wrong_setting: str,
) -> None:
    if wrong_setting:
        settings.SMARTCAR_CLIENT_ID = settings.SMARTCAR_APPLICATION_ID
        settings.SMARTCAR_WEBHOOK_ID = ""
    client = browser_of(owner)
    page, english = (
        client.post(
            "/fleets/blue/integration/check/", headers={"accept-language": requested}
        ).content.decode()
        for requested in (language, "en")
    )
    assert untranslated(page, english, language) == set()


@translated
def test_results_of_actions_and_form_errors(
    connection: Connection, owner: User, browser_of: BrowserOf, language: str
) -> None:
    invitation = Invitation.objects.get()
    page = DriverPortal.objects.get()
    actions: list[tuple[str, dict[str, str]]] = [
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
    for path, values in actions:
        answer = client.post(path, values, headers={"accept-language": language}, follow=True)
        assert answer.status_code in (200, 400), path
        assert untranslated(answer.content.decode(), "", language) == set(), path


def test_members_and_drivers_read_their_own_languages(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    User.objects.update(language="fr")
    page = DriverPortal.objects.get()
    drivers.choose_language(page=page, language="de")
    client = browser_of(owner)
    assert '<html lang="fr"' in read(client, "/fleets/blue/invitations/", "en")
    assert '<html lang="de"' in read(client, page.path, "en")


@pytest.mark.parametrize("state", DEGRADED)
def test_next_actions_are_translated(connection: Connection, state: ConnectionState) -> None:
    connection.state = state
    step = next_action(connection, now=timezone.now() + timedelta(hours=1))
    english = (str(step.label), str(step.text))
    with translation.override("de"):
        assert not set(english) & {str(step.label), str(step.text)}


def test_permissions_are_described_in_the_language(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    page = read(browser_of(owner), "/fleets/blue/invitations/", "de")
    assert len(SCOPES) == page.count('name="scopes"')
    assert "Ladestatus" in page
