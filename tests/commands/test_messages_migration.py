"""The migration from the command messages of version 0.1 to codes with parameters."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection as database
from django.utils import timezone

from accounts.models import User
from commands.messages import CommandMessage
from commands.models import Command, CommandState
from core.message_codes import MessageCatalog
from vehicles.models import Vehicle

migration = import_module("commands.migrations.0008_carry_messages_over")

pytestmark = pytest.mark.django_db
KNOWN_CODES = {code for catalog in MessageCatalog.__subclasses__() for code in catalog.values}
PENDING = "The car's next lock signal will tell."
pending_lock = {"code": "command.pending.lock", "params": {}}


def insert_legacy_command(
    vehicle: Vehicle, text: str, *, state: str = "failed", error_type: str = "", error_code: str = ""
) -> int:
    """Insert a command and its event as version 0.1 did, without codes. Returns the primary key."""
    now = timezone.now()
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO commands_command (fleet_id, vehicle_id, kind, parameters, generation, state, reason, "
            "idempotency_key, fingerprint, requested_at, expires_at, attempts, reads, message, error_type, error_code, "
            "request_id, execution_id, schedule_id, changed_at) VALUES (%s, %s, 'lock', '{}', 'v3', %s, '', '', '', "
            "%s, %s, 1, 0, %s, %s, %s, '', '', '', %s) RETURNING id",
            [vehicle.fleet_id, vehicle.pk, state, now, now, text, error_type, error_code, now],
        )
        key = int(cursor.fetchone()[0])
        cursor.execute(
            "INSERT INTO commands_change (command_id, state, at, detail) VALUES (%s, %s, %s, %s)",
            [key, state, now, text],
        )
    return key


def migrated(key: int) -> Command:
    """Returns the command after the migration, and asserts that its event has the same message."""
    with database.schema_editor() as editor:
        migration.carry_over(apps, editor)
    command = Command.objects.get(pk=key)
    event = command.changes.get()
    assert (event.message_code, event.message_params, event.smartcar_message) == (
        command.message_code,
        command.message_params,
        command.smartcar_message,
    )
    return command


def columns(command: Command) -> tuple[str, dict[str, object], str]:
    return command.message_code, command.message_params, command.smartcar_message


@pytest.mark.parametrize(("text", "code"), migration.CODES.items(), ids=migration.CODES.values())
def test_a_sentence_is_converted_to_its_code(vehicle: Vehicle, text: str, code: str) -> None:
    assert columns(migrated(insert_legacy_command(vehicle, text))) == (code, {}, "")
    assert code in KNOWN_CODES


def test_the_user_who_canceled_is_a_parameter(vehicle: Vehicle) -> None:
    command = migrated(
        insert_legacy_command(vehicle, "Cancelled by dana.o@fleet.example.", state="cancelled")
    )
    assert columns(command) == ("command.canceled", {"person": "dana.o@fleet.example"}, "")


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("Sending was interrupted.", "command.interrupted"),
        ("No clear answer came.", "command.no_clear_answer"),
    ],
)
def test_the_pending_message_is_nested(vehicle: Vehicle, start: str, code: str) -> None:
    command = migrated(insert_legacy_command(vehicle, f"{start} {PENDING}", state="unknown"))
    assert columns(command) == (code, {"pending": pending_lock}, "")
    assert "%" not in command.message


def test_a_lost_response_preserves_our_message_about_the_error(vehicle: Vehicle) -> None:
    error = migration.SMARTCAR_ERRORS["smartcar.rate_limit.vehicle"]
    command = migrated(
        insert_legacy_command(vehicle, f"An answer was lost, then: {error} {PENDING}", state="unknown")
    )
    params = {"error": {"code": "smartcar.rate_limit.vehicle", "params": {}}, "pending": pending_lock}
    assert columns(command) == ("command.answer_lost", params, "")


def test_a_lost_response_preserves_smartcars_message_about_the_error(vehicle: Vehicle) -> None:
    text = f"An answer was lost, then: Your car is moving. {PENDING}"
    command = migrated(
        insert_legacy_command(
            vehicle, text, state="unknown", error_type="VEHICLE_STATE", error_code="IN_MOTION"
        )
    )
    params = {"error": {"code": "smartcar.vehicle_state.in_motion", "params": {}}, "pending": pending_lock}
    assert columns(command) == ("command.answer_lost", params, "Your car is moving.")
    assert command.original == "Your car is moving."


@pytest.mark.parametrize(
    ("error_type", "error_code", "code"),
    [
        ("VEHICLE_STATE", "DOOR_OPEN", "smartcar.vehicle_state.door_open"),
        ("VEHICLE_STATE", "NEW", "smartcar.vehicle_state"),
        ("NEW", "", "smartcar.unknown"),
    ],
)
def test_smartcars_message_about_a_rejection_moves_to_its_column(
    vehicle: Vehicle, error_type: str, error_code: str, code: str
) -> None:
    key = insert_legacy_command(
        vehicle, "A door is open.", state="refused", error_type=error_type, error_code=error_code
    )
    command = migrated(key)
    assert columns(command) == (code, {}, "A door is open.")
    assert command.original == "A door is open."


def test_an_unknown_text_is_preserved(vehicle: Vehicle) -> None:
    command = migrated(insert_legacy_command(vehicle, "Something else"))
    assert columns(command) == ("text", {"text": "Something else"}, "")
    assert command.message == "Something else"


def test_a_row_with_a_code_is_unchanged(vehicle: Vehicle, owner: User) -> None:
    key = insert_legacy_command(vehicle, "Something else")
    Command.objects.filter(pk=key).update(message_code=CommandMessage.RETRYING)
    with database.schema_editor() as editor:
        migration.carry_over(apps, editor)
    assert Command.objects.get(pk=key).message_code == CommandMessage.RETRYING


def test_version_0_1_can_still_insert_rows(vehicle: Vehicle) -> None:
    command = Command.objects.get(pk=insert_legacy_command(vehicle, ""))
    assert (command.message, command.changes.get().message, command.state) == ("", "", CommandState.FAILED)
