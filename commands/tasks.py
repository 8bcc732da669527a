from celery import shared_task
from django.utils import timezone

from commands import confirmation, sender
from commands.bulk import dispatcher
from commands.models import Command
from commands.scheduled import runner
from core.task_queue import enqueue_on_commit


@shared_task
def send(command_id: int) -> None:
    """Sends one command. Running the task twice sends it once, as only one run can claim it."""
    command = (
        Command.objects.select_related("vehicle", "connection__vehicle", "connection__tokens")
        .filter(pk=command_id)
        .first()
    )
    if command is not None:
        sender.send(command=command)
        if command.bulk_id is not None:
            enqueue_on_commit("commands.tasks.dispatch")


@shared_task
def dispatch() -> None:
    """Releases as many queued bulk commands as possible."""
    dispatcher.dispatch_queued(now=timezone.now())


@shared_task
def run_scheduled() -> None:
    """Sends the scheduled commands that are due."""
    runner.run_due(now=timezone.now())


@shared_task
def sweep() -> None:
    """Ends commands that timed out, and enqueues commands whose task was lost."""
    for command_id in confirmation.sweep(now=timezone.now()):
        enqueue_on_commit("commands.tasks.send", command_id)
