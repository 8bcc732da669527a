"""The Celery application. The broker is a doorbell: what is to be done stands in the database."""

import gc
import os

from celery import Celery
from celery.signals import worker_process_init, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleet.settings")

app = Celery("fleet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
@worker_process_init.connect
def _collect_seldom(**_: object) -> None:
    """A batch of deliveries is some ten thousand short-lived objects; looking for cycles among them takes a fifth of
    the time and finds none. What is loaded by now stays for good and needn't be looked at."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
