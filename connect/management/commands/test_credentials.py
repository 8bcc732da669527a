"""The name that `check_credentials` had before 0.2.0, kept for one release."""

from connect.management.commands.check_credentials import Command as Command
