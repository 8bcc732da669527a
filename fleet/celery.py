"""The Celery application. Tasks only wake workers; the work itself is stored in the database."""

import gc
import os

from celery import Celery
from celery.signals import worker_init, worker_process_init, worker_ready
from django.db import connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleet.settings")

app = Celery("fleet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
@worker_process_init.connect
def _tune_garbage_collection(**_: object) -> None:
    """Collect garbage rarely, and never the modules that are loaded by now.

    A batch of deliveries creates some ten thousand short-lived objects. Searching them for reference cycles takes a
    fifth of the time and finds none.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@worker_init.connect
def _report_problems(**_: object) -> None:
    """Logs what is wrong with stored data, such as secrets that no encryption key fits."""
    from fleet.startup import log_problems  # needs the apps to be loaded

    log_problems()
    # Forked processes can't use the parent's pool, whose threads they lack.
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
