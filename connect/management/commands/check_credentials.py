"""Checks Smartcar's four credentials, and reports which are missing, invalid or swapped."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import SmartcarApiVersion
from connect import applications
from connect.applications import credential_check
from connect.applications.credential_check import CheckResult


class Command(BaseCommand):
    help = "Checks the credentials of one or all applications with Smartcar. Displays no secret and changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--application", help="the name of one application; default: all")
        parser.add_argument(
            "--api-version",
            "--generation",  # the name in version 0.1
            dest="api_version",
            choices=SmartcarApiVersion.values,
            default=settings.SMARTCAR_API_VERSION,
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["application"]
        found = [each for each in applications.all_applications() if name in (None, each.name)]
        if not found:
            raise CommandError(f"There is no application {name!r}.")
        bad = 0
        for application in found:
            self.stdout.write(f"Application {application.name}")
            findings = credential_check.check_credentials(
                application=application, api_version=options["api_version"]
            )
            for finding in findings:
                self.stdout.write(f"  {self._mark(finding):>11}  {finding.credential}: {finding.text}")
            bad += sum(not finding.good for finding in findings)
        if bad:
            raise CommandError(f"{bad} of the credentials need a look.")

    def _mark(self, finding: CheckResult) -> str:
        return finding.verdict.value
