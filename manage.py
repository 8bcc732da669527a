#!/usr/bin/env python
"""Run a management command, with embedded servers unless DATABASE_URL and REDIS_URL are set."""

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleet.settings")
    from fleet import environment

    environment.load()
    from django.core.management import execute_from_command_line

    with environment.servers(Path(__file__).resolve().parent / "var"):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
