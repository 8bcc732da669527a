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
        "Processes messages of the inbox again: those of which the body is still kept. What was recorded before is "
        "not recorded twice. The worker does it; this command only puts them back to waiting."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="of the message in the inbox")
        parser.add_argument("--failed", action="store_true", help="dead letters and what is in quarantine")
        parser.add_argument("--type", default="", help="the event's type, such as VEHICLE_STATE")
        parser.add_argument("--vehicle", default="", metavar="SMARTCAR_VEHICLE_ID")
        parser.add_argument("--since", type=_moment, metavar="TIME", help="received then or later (ISO 8601)")
        parser.add_argument("--until", type=_moment, metavar="TIME", help="received before (ISO 8601)")
        parser.add_argument("--all", action="store_true", help="all messages")
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
            raise CommandError("Say which messages, by one condition or more, or else --all.")
        entries = choice.entries()
        if options["dry_run"]:
            self.stdout.write(f"{entries.count()} messages would be processed again.")
        else:
            self.stdout.write(f"{replay(entries=entries)} messages wait to be processed again.")
