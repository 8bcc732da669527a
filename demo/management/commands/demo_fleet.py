"""The name that `seed_demo` had before 0.2.0, kept for one release."""

from demo.management.commands.seed_demo import Command as Command
