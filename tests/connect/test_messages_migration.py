"""Texts that version 0.1 wrote become codes with parameters. Nothing is lost."""

from importlib import import_module
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection as database
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from accounts.models import User
from connect import messages
from connect.models import (
    AuthorizationRequest,
    Connection,
    ConnectionMigration,
    Discrepancy,
    ErasureRecord,
    OffboardingRequest,
    PendingIssue,
    Reconciliation,
    Transition,
)
from connect.v2.api_migration.models import MigrationMessage
from core.message_codes import MessageCatalog, render
from smartcar_api.error_messages import ErrorMessage
from vehicles.models import Vehicle
from webhooks.messages import DeliveryErasureNote

migration = import_module("connect.migrations.0017_carry_messages_over")
CATALOGS = [
    catalog
    for catalog in [*vars(messages).values(), MigrationMessage, ErrorMessage, DeliveryErasureNote]
    if isinstance(catalog, type) and issubclass(catalog, MessageCatalog)
]
CODES = {code for catalog in CATALOGS for code in catalog.values}
TRUNCATED = next(
    text for text, code in migration.SENTENCES.items() if code == "smartcar.not_sent.no_allowance"
)


def state_at(name: str) -> Any:
    """Returns the models as of a migration of connect."""
    apps = MigrationLoader(database).project_state(("connect", name)).apps
    assert isinstance(apps, Apps)
    return apps


@pytest.fixture
def rows(vehicle: Vehicle, owner: User) -> dict[str, models.Model]:
    """One row of each kind, as version 0.1 writes it, without codes and parameters."""
    now, old = timezone.now(), state_at("0015_field_names")

    def create(model: str, **columns: Any) -> Any:
        return old.get_model("connect", model).objects.create(**columns)

    connection = create(
        "Connection",
        fleet_id=vehicle.fleet_id,
        vehicle_id=vehicle.pk,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state_cause="Smartcar no longer accepts the driver's token.",
        subscription_error="No webhook is set: that of Second is empty.",
    )
    migration_row = create("ApiMigration", fleet_id=vehicle.fleet_id, api_version="v3")
    offboarding = create(
        "OffboardingRequest",
        fleet_id=vehicle.fleet_id,
        vehicle_id=vehicle.pk,
        extent="places",
        until=now,
        trouble="Your car is in a tunnel. Come back on Monday.",
    )
    run = create("Reconciliation", api_version="v3", outcome="failed", trouble="It was cut short.")
    return {
        "connection": connection,
        "authorization": create(
            "AuthorizationRequest",
            fleet_id=vehicle.fleet_id,
            started_by_id=owner.pk,
            api_version="v3",
            mode="live",
            scopes=[],
            state_hash="1",
            session_hash="2",
            external_id="3",
            outcome="connected 3",
        ),
        "transition": create(
            "Transition",
            connection=connection,
            to_state="needs_reauth",
            cause="The maker asks the driver to sign in again.",
            evidence="event e-1, and silence since",
        ),
        "issue": create(
            "PendingIssue",
            connection=connection,
            state="revoked",
            error="GONE",
            source="call",
            since=now,
            evidence="a read of the car (inbox 12)",
        ),
        "step": create(
            "ConnectionMigration",
            move=migration_row,
            connection=connection,
            reason="Smartcar's v3 does not list this car for its driver. If it still answers on v2, ask Smartcar's "
            "support; else invite the driver to connect it again.",
        ),
        "removal": offboarding,
        "erased": create(
            "ErasureRecord",
            removal=offboarding,
            kind="messages",
            label="Raw messages of Smartcar about the car",
            note="Kept: only the places were to be erased.",
        ),
        "run": run,
        "drift": create(
            "Discrepancy",
            comparison=run,
            kind="leftover",
            note="It could not be ended: Smartcar has a problem at the moment. Wait a few minutes and try again.",
        ),
    }


def carry_over() -> None:
    with database.schema_editor() as editor:
        migration.carry_over(state_at("0016_message_codes"), editor)


@pytest.mark.django_db
def test_rows_of_version_0_1_get_codes_and_parameters(rows: dict[str, models.Model]) -> None:
    carry_over()
    pks = {name: row.pk for name, row in rows.items()}
    connection = Connection.objects.get(pk=pks["connection"])
    assert connection.state_reason_code == "status.token_rejected"
    assert connection.subscription_error_code == "subscription.no_webhook_for_application"
    assert connection.subscription_error_params == {"name": "Second"}
    request = AuthorizationRequest.objects.get(pk=pks["authorization"])
    assert (request.outcome_code, request.outcome_params) == ("authorization.connected", {"count": 3})
    transition = Transition.objects.get(pk=pks["transition"])
    assert transition.reason_code == "status.reauthentication_needed"
    assert transition.evidence_code == "evidence.no_data_since"
    assert transition.evidence_params == {"evidence": {"code": "evidence.event", "params": {"event": "e-1"}}}
    assert transition.evidence == "event e-1, then no data"
    issue = PendingIssue.objects.get(pk=pks["issue"])
    assert (issue.evidence_code, issue.evidence_params) == ("evidence.read", {"delivery": 12})
    step = ConnectionMigration.objects.get(pk=pks["step"])
    assert (step.reason_code, [each["code"] for each in step.reason_params["messages"]]) == (
        "sequence",
        ["migration.not_listed", "migration.ask_support"],
    )
    offboarding = OffboardingRequest.objects.get(pk=pks["removal"])
    assert str(offboarding.problem) == "Your car is in a tunnel. Come back on Monday."
    assert ErasureRecord.objects.get(pk=pks["erased"]).note_code == "erasure.only_places"
    assert Reconciliation.objects.get(pk=pks["run"]).problem_code == "reconciliation.interrupted"
    discrepancy = Discrepancy.objects.get(pk=pks["drift"])
    assert (discrepancy.note_code, discrepancy.note_params["why"]["code"]) == (
        "reconciliation.grant_not_ended",
        "smartcar.gateway",
    )


@pytest.mark.django_db
def test_a_second_run_changes_nothing(rows: dict[str, models.Model]) -> None:
    carry_over()
    Connection.objects.update(state_reason_code="status.connected")
    carry_over()
    assert Connection.objects.get(pk=rows["connection"].pk).state_reason_code == "status.connected"


@pytest.mark.django_db
def test_both_versions_can_write_rows_side_by_side(rows: dict[str, models.Model]) -> None:
    written = rows["connection"]
    Transition.objects.create(connection_id=written.pk, to_state="active")
    assert Connection.objects.get(pk=written.pk).state_reason == ""


@pytest.mark.parametrize(("text", "code"), migration.SENTENCES.items())
def test_every_sentence_of_version_0_1_has_a_current_code(text: str, code: str) -> None:
    assert migration.message_for(text, 300) == (code, {})
    assert code in CODES


@pytest.mark.parametrize(("pattern", "code"), migration.PATTERNS)
def test_sentences_with_values_keep_their_values(pattern: str, code: str) -> None:
    values = {"number": 7, "hours": 48, "count": 3, "delivery": 12}
    texts = dict.fromkeys(("evidence", "why", "name", "event", "request"), "Fleet 100 %") | values
    found_code, params = migration.message_for(pattern % texts, 300)
    assert found_code == code in CODES
    assert render(found_code, params)


def test_values_become_numbers() -> None:
    assert migration.message_for("silence of 48 hours", 160) == ("evidence.no_data", {"hours": 48})


@pytest.mark.parametrize(
    "text",
    [
        "Your car is in a tunnel. Come back on Monday.",
        "CONNECTED_SERVICES_ACCOUNT:PERMISSION",
        "Wait! The driver is away; ask again.",
    ],
)
def test_unknown_texts_stay_unchanged(text: str) -> None:
    assert migration.message_for(text, 300) == ("text", {"text": text})


def test_known_sentence_beside_other_text_is_found() -> None:
    code, params = migration.message_for("Come back on Monday. It has changed meanwhile.", 300)
    assert render(code, params).startswith("Come back on Monday. ")
    assert params["messages"][1] == {"code": "reconciliation.changed_meanwhile", "params": {}}


def test_truncated_sentence_is_found() -> None:
    assert migration.message_for(TRUNCATED[:80], 80) == ("smartcar.not_sent.no_allowance", {})
