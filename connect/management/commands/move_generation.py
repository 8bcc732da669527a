"""The name of `migrate_api_version` before 0.2.0, available for one more release."""

from connect.management.commands.migrate_api_version import Command as Command
