"""Queries for scheduled commands."""

from django.db.models import Count, F, Prefetch, QuerySet

from accounts.models import Fleet
from commands.scheduled.models import ScheduledCommand, ScheduledRun
from vehicles.models import Vehicle

_MOST = 200


def _with_runs(schedules: QuerySet[ScheduledCommand]) -> QuerySet[ScheduledCommand]:
    newest = ScheduledRun.objects.order_by("schedule_id", "-due_at").distinct("schedule_id")
    last = Prefetch("runs", queryset=newest, to_attr="last_runs")
    ordered = schedules.select_related("created_by", "fleet").annotate(vehicle_count=Count("vehicles"))
    return ordered.order_by(F("next_at").asc(nulls_last=True), "-pk").prefetch_related(last)


def list_schedules(*, fleet: Fleet) -> list[ScheduledCommand]:
    """Returns the fleet's scheduled commands, next ones first, each with its `vehicle_count` and `last_runs`."""
    found = list(_with_runs(ScheduledCommand.objects.filter(fleet=fleet))[:_MOST])
    single = [schedule for schedule in found if schedule.vehicle_count == 1]  # type: ignore[attr-defined]
    rows = ScheduledCommand.vehicles.through.objects.filter(scheduledcommand__in=single)
    names = {row.scheduledcommand_id: row.vehicle for row in rows.select_related("vehicle")}
    for schedule in found:
        schedule.only_vehicle = names.get(schedule.pk)  # type: ignore[attr-defined]
    return found


def list_for_vehicle(*, vehicle: Vehicle) -> list[ScheduledCommand]:
    """Returns what is still scheduled for the vehicle, next ones first. One query."""
    schedules = ScheduledCommand.objects.filter(fleet=vehicle.fleet_id, vehicles=vehicle, ended_at=None)
    return list(schedules.filter(next_at__isnull=False).order_by("next_at")[:10])


def get_schedule(*, fleet: Fleet, pk: int) -> ScheduledCommand | None:
    """Returns the fleet's scheduled command, or None."""
    return ScheduledCommand.objects.select_related("fleet").filter(fleet=fleet, pk=pk).first()
