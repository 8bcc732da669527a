"""Celery beat's schedule: sweepers that find work whose task was lost, and periodic jobs. In seconds, or UTC times."""

from typing import Any

from celery.schedules import crontab

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "webhooks.process": {"task": "webhooks.tasks.process_inbox", "schedule": 5},
    "webhooks.release_quarantine": {"task": "webhooks.tasks.release_quarantined", "schedule": 30},
    "webhooks.fetch_due": {"task": "webhooks.tasks.fetch_due", "schedule": 5},
    "webhooks.poll_silent_vehicles": {"task": "webhooks.tasks.poll_silent_vehicles", "schedule": 120},
    "webhooks.purge": {"task": "webhooks.tasks.purge", "schedule": 3600},
    "webhooks.finish_application_cutover": {
        "task": "webhooks.tasks.finish_application_cutover",
        "schedule": 60,
    },
    "commands.sweep": {"task": "commands.tasks.sweep", "schedule": 5},
    "commands.run_scheduled": {"task": "commands.tasks.run_scheduled", "schedule": 15},
    "commands.dispatch_bulk": {"task": "commands.tasks.dispatch", "schedule": 5},
    "connect.refresh_tokens": {"task": "connect.v2.tasks.refresh_tokens", "schedule": 3600},
    "connect.migrate_api_version": {"task": "connect.v2.tasks.sweep_migrations", "schedule": 10},
    "connect.complete_connections": {"task": "connect.tasks.complete_connections", "schedule": 10},
    "connect.monitor_connections": {"task": "connect.tasks.monitor_connections", "schedule": 120},
    "connect.expire_locations": {"task": "connect.tasks.expire_locations", "schedule": 60},
    # Night in Europe and evening in America, and off the full hour, when most other jobs run.
    "connect.reconcile_connections": {
        "task": "connect.tasks.reconcile_connections",
        "schedule": crontab(hour=2, minute=41),
    },
    "connect.remind_drivers": {"task": "connect.tasks.remind_drivers", "schedule": 900},
    "connect.sweep_offboarding": {"task": "connect.tasks.sweep_offboarding", "schedule": 30},
    "connect.purge": {"task": "connect.tasks.purge", "schedule": crontab(hour=3, minute=41)},
    "accounts.purge": {"task": "accounts.tasks.purge", "schedule": 3600},
    "connect.end_refused_grants": {"task": "connect.tasks.end_refused_grants", "schedule": 60},
    "alerts.send_digests": {"task": "alerts.tasks.send_digests", "schedule": 60},
    "alerts.detect_missed": {"task": "alerts.tasks.detect_missed", "schedule": 300},
    "alerts.purge": {"task": "alerts.tasks.purge_alerts", "schedule": crontab(hour=3, minute=17)},
    "vehicles.compute_rollups": {"task": "vehicles.tasks.compute_rollups", "schedule": 60},
    "vehicles.maintain_partitions": {"task": "vehicles.tasks.maintain_partitions", "schedule": 3600},
    "core.send_due_emails": {"task": "core.tasks.send_due_emails", "schedule": 30},
    "core.purge_emails": {"task": "core.tasks.purge_emails", "schedule": crontab(hour=3, minute=29)},
}
