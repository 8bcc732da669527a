"""The former name of `seed_demo`, before 0.2.0, supported for one more release."""

from demo.management.commands.seed_demo import Command as Command
