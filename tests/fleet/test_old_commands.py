"""The previous release's names and options of management commands still work."""

from importlib import import_module

import pytest

RENAMED = {
    "connect.management.commands.test_credentials": "connect.management.commands.check_credentials",
    "connect.management.commands.token_lifetimes": "connect.management.commands.show_token_expiry",
    "connect.management.commands.move_generation": "connect.management.commands.migrate_api_version",
    "demo.management.commands.demo_fleet": "demo.management.commands.seed_demo",
}


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_the_old_name_runs_the_same_command(old: str, new: str) -> None:
    assert import_module(old).Command is import_module(new).Command


def test_the_old_option_of_the_credential_check_still_works() -> None:
    command = import_module("connect.management.commands.check_credentials").Command()
    parser = command.create_parser("manage.py", "test_credentials")
    assert parser.parse_args(["--generation", "v2"]).api_version == "v2"
    assert parser.parse_args(["--api-version", "v3"]).api_version == "v3"
