"""Carries the sentences that the audit log kept over to codes, by the texts of the version that wrote them (0.1)."""

import re

from django.db import migrations

_VEHICLE = {
    "looked at a car's VIN": ("vehicle.vin_viewed", {}),
    "connected a car": ("vehicle.connected", {"by_driver": False}),
    "connected a car by invitation": ("vehicle.connected", {"by_driver": True}),
    "had a connection checked": ("connection.checked", {}),
    "renewed a sign-in": ("connection.reauthenticated", {"by_driver": False}),
    "renewed a sign-in by a personal link": ("connection.reauthenticated", {"by_driver": True}),
    "chose a battery size": ("connection.battery_selected", {"by_driver": False}),
    "chose a battery size by a personal link": ("connection.battery_selected", {"by_driver": True}),
    "driver hid the place": ("driver.location_hidden", {"by_driver": True}),
    "driver showed the place again": ("driver.location_shown", {"by_driver": True}),
    "driver set working hours": ("driver.schedule_set", {"by_driver": True}),
    "driver cleared working hours": ("driver.schedule_cleared", {"by_driver": True}),
}
_ERASURE = {
    "disconnected a car": ("vehicle.disconnected", False),
    "asked to erase a car's data": ("vehicle.erasure_requested", False),
    "driver withdrew a car": ("vehicle.disconnected", True),
    "driver asked to erase a car's data": ("vehicle.erasure_requested", True),
}
_NAMED = {
    "made a place": ("place.created", "place"),
    "changed a place": ("place.changed", "place"),
    "deleted a place": ("place.deleted", "place"),
    "sent an invitation again": ("member.invitation_resent", "member_invitation"),
    "revoked a person's invitation": ("member.invitation_revoked", "member_invitation"),
    "removed a member": ("member.removed", "member"),
    "revoked an API token": ("token.revoked", "api_token"),
    "chose the Smartcar application": ("application.chosen", ""),
}
_NUMBERED = {
    "made a driver's page anew": ("driver.portal_renewed", "driver_portal"),
    "closed a driver's page": ("driver.portal_closed", "driver_portal"),
    "invited a driver": ("driver.invited", "invitation"),
    "revoked an invitation": ("driver.invitation_revoked", "invitation"),
    "processed a delivery again": ("delivery.reprocessed", "delivery"),
    "moved a car to the new application": ("application.vehicle_migrated", "connection"),
}
_PLAIN = {
    "stopped the move": "migration.stopped",
    "changed what the fleet is told of": "alerts.settings_changed",
    "hid the checklist of the set-up": "setup.checklist_hidden",
    "changed when commands need a reason": "commands.policy_changed",
}
_SETTINGS = {
    "name": "name",
    "units": "unit_system",
    "time zone": "time_zone",
    "months of single values": "raw_retention_months",
    "months of summaries": "rollup_retention_months",
}
_COMMAND = re.compile(r"(asked|cancelled) to ([a-z ]+?)(?: (\d+) cars)?")
_BATCH = 1000


def coded(action, target):
    """The event, kind and id of the object, and data of an old entry; `other` with its words if none matches."""
    for reader in (_fixed, _by_pattern):
        if found := reader(action, target):
            return found
    return "other", "", "", {"text": action, "target": target}


def _fixed(action, target):
    if action in _VEHICLE:
        event, data = _VEHICLE[action]
        return event, "vehicle", target, data
    if action in _ERASURE:
        event, by_driver = _ERASURE[action]
        vehicle, _, scope = target.partition(", erasing ")
        return event, "vehicle", vehicle, {"scope": scope, "by_driver": by_driver}
    if action in _NAMED:
        event, kind = _NAMED[action]
        return event, kind, "", {"name": target}
    if action in _NUMBERED:
        event, kind = _NUMBERED[action]
        return event, kind, target.rpartition(" ")[2], {}
    if action in _PLAIN:
        return _PLAIN[action], "", "", {}
    if action == "changed a car's settings":
        vehicle, _, fields = target.partition(": ")
        return "vehicle.details_changed", "vehicle", vehicle, {"fields": fields.split(", ") if fields else []}
    if action in ("made an API token", "made an API token that sends commands"):
        commands = action.endswith("commands")
        return "token.created", "api_token", "", {"name": target, "sends_commands": commands}
    if action == "set the monthly request allowance":
        calls = {"that of the settings": None, "no limit": 0}
        return "usage.limit_set", "", "", {"calls": calls[target] if target in calls else _number(target)}
    return None


def _by_pattern(action, target):
    if found := _COMMAND.fullmatch(action):
        verb, command, count = found.groups()
        name = "requested" if verb == "asked" else "canceled"
        command = command.replace(" ", "_")
        if count:
            number = target.rpartition(" ")[2]
            return (
                f"bulk_command.{name}",
                "bulk_command",
                number,
                {"command": command, "vehicles": int(count)},
            )
        return f"command.{name}", "vehicle", target, {"command": command}
    if found := re.fullmatch(r"(made a member|invited a person as) (\w+)", action):
        event = "member.role_set" if found[1] == "made a member" else "member.invited"
        kind = "member" if event == "member.role_set" else "member_invitation"
        return event, kind, "", {"name": target, "role": found[2].lower()}
    if found := re.fullmatch(r"changed the fleet's (.+)", action):
        before, _, after = target.partition(" → ")
        field = _SETTINGS.get(found[1], found[1])
        return "fleet.settings_changed", "", "", {"field": field, "from": before, "to": after}
    if found := re.fullmatch(r"began the move to (v\d)", action):
        return "migration.started", "", "", {"to": found[1]}
    if found := re.fullmatch(r"moved to (v\d)", action):
        counts = re.fullmatch(r"(\d+) moved, (\d+) stayed", target)
        moved, stayed = (int(counts[1]), int(counts[2])) if counts else (None, None)
        return "migration.finished", "", "", {"to": found[1], "migrated": moved, "skipped": stayed}
    return None


def _number(text):
    found = re.match(r"\d+", text)
    return int(found[0]) if found else None


def carry_over(apps, schema_editor):
    entries = apps.get_model("accounts", "AuditLogEntry").objects
    last = 0
    while rows := list(entries.filter(pk__gt=last, event="").order_by("pk")[:_BATCH]):
        for row in rows:
            row.event, row.object_type, row.object_id, row.data = coded(row.action, row.target)
        entries.bulk_update(rows, ["event", "object_type", "object_id", "data"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_audit_events")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
