"""Re-encrypts all stored secrets with the newest key, so that old keys can be removed."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from connect import key_rotation


class Command(BaseCommand):
    help = (
        "Re-encrypts every stored token under the first key of FIELD_ENCRYPTION_KEYS, while the system runs. "
        "First add the new key before the old ones and restart every process, then run this command. When no row "
        "is left, remove the old keys and restart again. Exits with status 1 if a row is left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--batch", type=int, default=key_rotation.BATCH, help="rows read at a time (%(default)s)"
        )

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        report = key_rotation.rotate(batch=max(batch, 1))
        for row in report.unreadable:
            self.stderr.write(f"{row}: no key of FIELD_ENCRYPTION_KEYS fits.")
        self.stdout.write(
            f"{report.done} re-encrypted, {report.current} already under the newest key, "
            f"{len(report.unreadable)} left."
        )
        if report.unreadable:
            self.stderr.write("Put their key back at the end of FIELD_ENCRYPTION_KEYS and run this again.")
            sys.exit(1)
