"""Tasks of API v2: the refresh of users' tokens, and the migration of fleets to another API version."""

from celery import shared_task
from django.utils import timezone

from connect.v2 import token_refresh
from connect.v2.api_migration import worker
from connect.v2.api_migration.models import ApiMigration
from core.task_queue import accept_former_name, enqueue_on_commit


@shared_task
def refresh_tokens() -> None:
    """Refreshes token pairs long before they expire, and logs those that expire soon."""
    token_refresh.refresh_due(now=timezone.now())
    token_refresh.log_expiring(now=timezone.now())


@shared_task
def migrate_fleet(migration_id: int) -> None:
    """Continues the migration of one fleet, and enqueues itself again until all is done."""
    migration = ApiMigration.objects.filter(pk=migration_id).first()
    if migration is not None and worker.run(migration=migration):
        enqueue_on_commit("connect.v2.tasks.migrate_fleet", migration_id)


@shared_task
def sweep_migrations() -> None:
    """Continues migrations whose next attempt is due, or whose worker died."""
    for migration in worker.due_migrations():
        enqueue_on_commit("connect.v2.tasks.migrate_fleet", migration.pk)


accept_former_name("connect.tasks.refresh_tokens", refresh_tokens)
accept_former_name("connect.tasks.move_generation", migrate_fleet)
accept_former_name("connect.tasks.move_generations", sweep_migrations)
