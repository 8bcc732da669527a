"""Upgrades a database of version 0.1 and checks the result. Standalone: `python -m tests.fleet.upgrade`.

`DATABASE_URL` names an empty database. The rows are those of a demo that the code of version 0.1 ran (commit cc8b771),
with one connection, command, delivery and offboarding of each kind; the tables are made by the migrations of that
version, which are published and so never change.
"""

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

import django

DATA = Path(__file__).parent / "data" / "version-0.1.json.gz"
# Tables whose rows move to another table, or that are emptied after the migration.
MOVED = {"accounts_letter"}
FLEET_PAGES = (
    "",
    "alerts/",
    "alerts/settings/",
    "audit-log/",
    "commands/",
    "connections/",
    "connections/reconciliation/",
    "drivers/",
    "invitations/",
    "members/",
    "places/",
    "settings/",
    "api-tokens/",
    "integration/",
    "offboarding/",
    "usage/",
    "webhook-log/",
)


def main() -> None:
    """Load, upgrade and check the database. Raises AssertionError if something wasn't migrated."""
    data = json.loads(gzip.decompress(DATA.read_bytes()))
    _migrate_to([tuple(each) for each in data["migrations"]])
    _load(data["tables"])
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    _check_counts(data["tables"])
    _check_codes()
    sys.stdout.write(f"{_check_pages()} pages\n")


def _migrate_to(leaves: list[tuple[str, str]]) -> None:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    MigrationExecutor(connection).migrate(leaves)


def _load(tables: dict[str, Any]) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        # Rows are loaded table by table, so referenced rows may follow later.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in tables) + " CASCADE")
        for name, table in tables.items():
            columns = ", ".join(f'"{column}"' for column in table["columns"])
            with cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy:
                copy.write(table["rows"])
            if "id" in table["columns"]:
                cursor.execute(
                    f'SELECT setval(seq, (SELECT max(id) FROM "{name}")) '
                    f"FROM pg_get_serial_sequence('\"{name}\"', 'id') AS seq WHERE seq IS NOT NULL"
                )
        cursor.execute("SET session_replication_role = origin")


def _check_counts(tables: dict[str, Any]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for name in sorted(tables.keys() - MOVED):
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            assert cursor.fetchone()[0] >= tables[name]["rows"].count("\n"), name


def _check_codes() -> None:
    """Check that every stored text is now a known code."""
    from accounts.audit import AuditEvent
    from accounts.models import AuditLogEntry
    from commands.models import Command, CommandEvent
    from connect.models import Connection, Transition
    from core.message_codes import MessageCatalog
    from vehicles.correction_notes import CorrectionNote, decode
    from vehicles.models import LatestSignal
    from vehicles.observations import NORMALIZATION_ERROR
    from webhooks.models import InboxEntry

    known = {code for catalog in MessageCatalog.__subclasses__() for code in catalog.values} | {""}
    events = set(AuditLogEntry.objects.values_list("event", flat=True))
    assert events and events <= set(AuditEvent.values), events - set(AuditEvent.values)
    for model, column in (
        (Command, "message_code"),
        (CommandEvent, "message_code"),
        (Connection, "state_reason_code"),
        (Transition, "reason_code"),
        (Transition, "evidence_code"),
        (InboxEntry, "note_code"),
    ):
        found = set(model._base_manager.values_list(column, flat=True))
        assert found <= known, (model, found - known)
    rows = LatestSignal.objects.values_list("notes", "error_type", "error_description")
    stored = {note for notes, _type, _description in rows for note in notes}
    stored |= {description for _notes, error_type, description in rows if error_type == NORMALIZATION_ERROR}
    assert {decode(note).code for note in stored} <= set(CorrectionNote.values), stored
    assert Transition.objects.exclude(evidence_code="").exists()
    assert InboxEntry.objects.exclude(key_fingerprint="").exists()


def _check_pages() -> int:
    """Returns the number of pages displayed: all pages of each fleet, vehicle and connection."""
    from django.test import Client

    from accounts.models import Membership, Role
    from connect.models import Connection
    from vehicles.models import Vehicle

    shown = 0
    for membership in Membership.objects.filter(role=Role.OWNER).select_related("user", "fleet"):
        client = Client()
        client.force_login(membership.user)
        base = f"/fleets/{membership.fleet.slug}/"
        paths = [*FLEET_PAGES]
        for vehicle in Vehicle.objects.filter(fleet=membership.fleet):
            paths += [
                f"vehicles/{vehicle.smartcar_id}/{tab}" for tab in ("", "history/", "events/", "signals/")
            ]
        for connection in Connection.objects.filter(fleet=membership.fleet):
            paths.append(f"connections/{connection.pk}/")
        for path in paths:
            assert client.get(base + path).status_code == 200, base + path
            shown += 1
    return shown


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleet.settings")
    django.setup()
    main()
