"""The commands to a driver's car, for the driver's own page. Says what was sent and when, not by whom or why."""

from commands.models import UNSENT, Command
from connect.driver_portal import command_history
from connect.driver_portal.command_history import SentCommand, SharedPeriod


def list_sent(period: SharedPeriod, limit: int) -> list[SentCommand]:
    """Returns at most `limit` commands that were sent to the vehicle in this period, newest first."""
    found = Command.objects.filter(vehicle_id=period.vehicle_id, requested_at__gte=period.since)
    if period.until is not None:
        found = found.filter(requested_at__lte=period.until)
    sent = found.exclude(state__in=UNSENT).exclude(sent_at=None).order_by("-requested_at", "-pk")
    return [
        SentCommand(
            requested_at=command.requested_at,
            code=command.kind,
            label=command.title,
            state=command.state,
            status=str(command.get_state_display()),
        )
        for command in sent[:limit]
    ]


def register() -> None:
    """Registers the source for drivers' pages."""
    command_history.register(list_sent)
