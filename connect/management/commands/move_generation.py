"""The name that `migrate_api_version` had before 0.2.0, kept for one release."""

from connect.management.commands.migrate_api_version import Command as Command
