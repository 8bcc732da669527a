from celery import shared_task
from django.utils import timezone

from commands import confirmation, sender
from commands.bulk import dispatcher
from commands.models import Command
from core.task_queue import enqueue_on_commit


@shared_task
def send(command_id: int) -> None:
    """Sends one command. Run twice, it sends once: the claim is taken once."""
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
    """Lets bulk commands go that there is room for."""
    dispatcher.dispatch_queued(now=timezone.now())


@shared_task
def sweep() -> None:
    """Ends what time has ended and sends what a lost doorbell left unsent."""
    for command_id in confirmation.sweep(now=timezone.now()):
        enqueue_on_commit("commands.tasks.send", command_id)
