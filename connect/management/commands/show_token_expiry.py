"""Prints the remaining lifetimes of v2 refresh tokens."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from connect.v2 import token_refresh

WIDTH = 40


class Command(BaseCommand):
    help = "Prints how many v2 token pairs have how many days left before their drivers must connect again."

    def handle(self, *args: Any, **options: Any) -> None:
        found = token_refresh.expiry_histogram(now=timezone.now())
        every = token_refresh.interval(pairs=found.pairs).days
        self.stdout.write(f"{found.pairs} token pairs in use, each renewed every {every} days. Days left:")
        rows = [("ended", found.ended)]
        rows += [(f"{least} to {most}", pairs) for least, most, pairs in found.bands]
        for label, pairs in rows:
            bar = "█" * round(WIDTH * pairs / max(found.pairs, 1))
            self.stdout.write(f"{label:>8} {pairs:>7} {bar}".rstrip())
