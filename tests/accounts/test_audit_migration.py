"""The migration from the audit log sentences of version 0.1 to codes and data."""

from importlib import import_module

import pytest

from accounts.audit import AuditEvent, AuditObject

coded = import_module("accounts.migrations.0014_audit_codes").coded
VEHICLE_ID = "11111111-2222-4333-8444-555555555555"

WRITTEN_BY_0_1 = [
    ("connected a car", VEHICLE_ID, "vehicle.connected", "vehicle", VEHICLE_ID, {"by_driver": False}),
    (
        "connected a car by invitation",
        VEHICLE_ID,
        "vehicle.connected",
        "vehicle",
        VEHICLE_ID,
        {"by_driver": True},
    ),
    ("looked at a car's VIN", VEHICLE_ID, "vehicle.vin_viewed", "vehicle", VEHICLE_ID, {}),
    (
        "changed a car's settings",
        f"{VEHICLE_ID}: name, unit_system",
        "vehicle.details_changed",
        "vehicle",
        VEHICLE_ID,
        {"fields": ["name", "unit_system"]},
    ),
    ("had a connection checked", VEHICLE_ID, "connection.checked", "vehicle", VEHICLE_ID, {}),
    (
        "renewed a sign-in",
        VEHICLE_ID,
        "connection.reauthenticated",
        "vehicle",
        VEHICLE_ID,
        {"by_driver": False},
    ),
    (
        "chose a battery size by a personal link",
        VEHICLE_ID,
        "connection.battery_selected",
        "vehicle",
        VEHICLE_ID,
        {"by_driver": True},
    ),
    (
        "driver hid the place",
        VEHICLE_ID,
        "driver.location_hidden",
        "vehicle",
        VEHICLE_ID,
        {"by_driver": True},
    ),
    (
        "driver cleared working hours",
        VEHICLE_ID,
        "driver.schedule_cleared",
        "vehicle",
        VEHICLE_ID,
        {"by_driver": True},
    ),
    (
        "disconnected a car",
        f"{VEHICLE_ID}, erasing places",
        "vehicle.disconnected",
        "vehicle",
        VEHICLE_ID,
        {"scope": "places", "by_driver": False},
    ),
    (
        "driver asked to erase a car's data",
        f"{VEHICLE_ID}, erasing everything",
        "vehicle.erasure_requested",
        "vehicle",
        VEHICLE_ID,
        {"scope": "everything", "by_driver": True},
    ),
    (
        "asked to set charge limit",
        VEHICLE_ID,
        "command.requested",
        "vehicle",
        VEHICLE_ID,
        {"command": "set_charge_limit"},
    ),
    ("cancelled to lock", VEHICLE_ID, "command.canceled", "vehicle", VEHICLE_ID, {"command": "lock"}),
    (
        "asked to unlock 3 cars",
        "bulk command 12",
        "bulk_command.requested",
        "bulk_command",
        "12",
        {"command": "unlock", "vehicles": 3},
    ),
    (
        "made a member Owner",
        "nia@home.example",
        "member.role_set",
        "member",
        "",
        {"name": "nia@home.example", "role": "owner"},
    ),
    (
        "invited a person as Viewer",
        "nia@home.example",
        "member.invited",
        "member_invitation",
        "",
        {"name": "nia@home.example", "role": "viewer"},
    ),
    ("removed a member", "nia@home.example", "member.removed", "member", "", {"name": "nia@home.example"}),
    ("made a place", "Depot", "place.created", "place", "", {"name": "Depot"}),
    ("invited a driver", "invitation 4", "driver.invited", "invitation", "4", {}),
    ("made a driver's page anew", "page 9", "driver.portal_renewed", "driver_portal", "9", {}),
    ("processed a delivery again", "77", "delivery.reprocessed", "delivery", "77", {}),
    ("moved a car to the new application", "5", "application.vehicle_migrated", "connection", "5", {}),
    ("chose the Smartcar application", "Second", "application.chosen", "", "", {"name": "Second"}),
    (
        "made an API token that sends commands",
        "Robot (scf_abc…)",
        "token.created",
        "api_token",
        "",
        {"name": "Robot (scf_abc…)", "sends_commands": True},
    ),
    ("set the monthly request allowance", "500 calls", "usage.limit_set", "", "", {"calls": 500}),
    ("set the monthly request allowance", "no limit", "usage.limit_set", "", "", {"calls": 0}),
    ("set the monthly request allowance", "that of the settings", "usage.limit_set", "", "", {"calls": None}),
    (
        "changed the fleet's time zone",
        "UTC → Europe/Berlin",
        "fleet.settings_changed",
        "",
        "",
        {"field": "time_zone", "from": "UTC", "to": "Europe/Berlin"},
    ),
    ("began the move to v3", "", "migration.started", "", "", {"to": "v3"}),
    (
        "moved to v3",
        "12 moved, 1 stayed",
        "migration.finished",
        "",
        "",
        {"to": "v3", "migrated": 12, "skipped": 1},
    ),
    ("stopped the move", "", "migration.stopped", "", "", {}),
    ("hid the checklist of the set-up", "", "setup.checklist_hidden", "", "", {}),
    ("changed what the fleet is told of", "", "alerts.settings_changed", "", "", {}),
    ("changed when commands need a reason", "", "commands.policy_changed", "", "", {}),
    (
        "something nobody wrote",
        "somewhere",
        "other",
        "",
        "",
        {"text": "something nobody wrote", "target": "somewhere"},
    ),
]


@pytest.mark.parametrize(("action", "target", "event", "kind", "key", "data"), WRITTEN_BY_0_1)
def test_an_old_sentence_is_converted_to_its_code(
    action: str, target: str, event: str, kind: str, key: str, data: dict[str, object]
) -> None:
    assert coded(action, target) == (event, kind, key, data)
    assert event in AuditEvent.values
    assert kind in ("", *AuditObject.values)
