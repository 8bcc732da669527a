"""Migrates a fleet to the other version of Smartcar's API, and reports connections that couldn't be migrated."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Fleet, SmartcarApiVersion
from connect.v2.api_migration import selectors, services, worker
from connect.v2.api_migration.models import ApiMigration, MigrationState


class Command(BaseCommand):
    help = (
        "Moves a fleet to v3 or back to v2 while it runs: each connection is checked first, then switched. "
        "May be interrupted: workers go on, and so does the command when it is run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("fleet", help="the fleet's short name, as in its address")
        parser.add_argument("api_version", choices=SmartcarApiVersion.values)
        parser.add_argument("--stop", action="store_true", help="stop the move that is under way")

    def handle(self, *args: Any, **options: Any) -> None:
        fleet = Fleet.objects.filter(slug=options["fleet"]).first()
        if fleet is None:
            raise CommandError(f"There is no fleet {options['fleet']!r}.")
        if options["stop"]:
            stopped = services.stop_migration(fleet=fleet, actor=None)
            self.stdout.write("Stopped." if stopped else "No move is under way.")
            return
        move = ApiMigration.objects.filter(fleet=fleet, state=MigrationState.RUNNING).first()
        if move is None:
            try:
                move = services.start_migration(fleet=fleet, to=options["api_version"], actor=None)
            except services.CannotStartError as error:
                raise CommandError(str(error)) from error
        elif move.api_version != options["api_version"]:
            raise CommandError(f"A move to {move.api_version} is under way. Stop it first: --stop.")
        self._run(move)

    def _run(self, move: ApiMigration) -> None:
        while move.state == MigrationState.RUNNING:
            if not worker.run(migration=move):
                time.sleep(1)  # Connections are waiting for Smartcar, or a worker has claimed them.
            move.refresh_from_db(fields=["state"])
            progress = selectors.get_progress(migration=move)
            self.stdout.write(f"{progress.done} of {progress.total} done, {progress.moved} moved")
        for step in move.steps.filter(state="stayed").select_related("connection__vehicle"):
            self.stdout.write(f"{step.connection.vehicle} stays: {step.reason}")
