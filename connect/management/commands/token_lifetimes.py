"""The name of `show_token_expiry` before 0.2.0, available for one more release."""

from connect.management.commands.show_token_expiry import Command as Command
