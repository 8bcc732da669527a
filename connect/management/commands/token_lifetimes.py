"""The name that `show_token_expiry` had before 0.2.0, kept for one release."""

from connect.management.commands.show_token_expiry import Command as Command
