"""The name of `check_credentials` before 0.2.0, available for one more release."""

from connect.management.commands.check_credentials import Command as Command
