"""Creates an API token on the command line."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Membership
from accounts.tokens.services import TokenNotAllowed, issue_token


class Command(BaseCommand):
    help = "Makes a token of the API for a member of a fleet and prints it. It is shown only this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="the member's email address")
        parser.add_argument(
            "--fleet", required=True, help="the fleet's name in addresses, such as bay-couriers"
        )
        parser.add_argument("--name", default="Made on the command line", help="what it is for")
        parser.add_argument("--days", type=int, help="after how many days it expires; without it, never")

        parser.add_argument(
            "--may-command",
            action="store_true",
            help="let the token send commands to vehicles, including unlocking",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        members = Membership.objects.select_related("user", "fleet")
        member = members.filter(user__email__iexact=options["user"], fleet__slug=options["fleet"]).first()
        if member is None:
            raise CommandError(f"{options['user']} is not a member of a fleet named {options['fleet']}.")
        days: int | None = options["days"]
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("--days has to be between 1 and 3650.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        try:
            issued = issue_token(
                membership=member,
                name=options["name"][:60],
                expires_at=expires_at,
                may_command=options["may_command"],
            )
        except TokenNotAllowed as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(issued.secret)
