"""`manage.py replay`: reprocesses deliveries in the inbox."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webhooks.replay import Choice, replay


def _moment(text: str) -> datetime:
    """Parses an ISO time. A time without a zone is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Command(BaseCommand):
    """All given conditions must match. Without conditions, --all is required."""

    help = (
        "Reprocesses deliveries whose body is still stored. Data already recorded is not recorded twice. "
        "This command queues the deliveries; workers process them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="of the delivery")
        parser.add_argument("--failed", action="store_true", help="undeliverable and quarantined deliveries")
        parser.add_argument("--type", default="", help="the event's type, such as VEHICLE_STATE")
        parser.add_argument("--vehicle", default="", metavar="SMARTCAR_VEHICLE_ID")
        parser.add_argument("--since", type=_moment, metavar="TIME", help="received then or later (ISO 8601)")
        parser.add_argument("--until", type=_moment, metavar="TIME", help="received before (ISO 8601)")
        parser.add_argument("--all", action="store_true", help="all deliveries")
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def handle(self, *args: Any, **options: Any) -> None:
        choice = Choice(
            ids=tuple(options["ids"]),
            failed=options["failed"],
            event_type=options["type"],
            smartcar_vehicle_id=options["vehicle"],
            since=options["since"],
            until=options["until"],
        )
        if options["all"] == (choice != Choice()):
            raise CommandError("Select deliveries by one or more conditions, or use --all.")
        entries = choice.entries()
        if options["dry_run"]:
            self.stdout.write(f"Deliveries that would be reprocessed: {entries.count()}")
        else:
            self.stdout.write(f"Deliveries queued for processing: {replay(entries=entries)}")
