"""Settings are read from typed environment variables, and from their old names for one release."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from fleet.environment import Environment, read_variable
from fleet.settings import env as settings_env

RENAMED = [setting for section in settings_env.sections for setting in section.settings if setting.old_name]


@pytest.fixture
def env() -> Environment:
    found = Environment()
    found.section("Test")
    return found


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("YES", True), ("1", True), ("off", False), ("0", False)]
)
def test_a_boolean_is_parsed(
    monkeypatch: pytest.MonkeyPatch, env: Environment, text: str, value: bool
) -> None:
    monkeypatch.setenv("SWITCH", text)
    assert env.boolean("SWITCH", default=not value, doc="") is value


def test_a_list_is_split_at_commas(monkeypatch: pytest.MonkeyPatch, env: Environment) -> None:
    monkeypatch.setenv("NAMES", "a, b,,c ")
    assert env.items("NAMES", default=[], doc="") == ["a", "b", "c"]


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, env: Environment) -> None:
    monkeypatch.setenv("DAYS", "")
    assert env.integer("DAYS", default=3, doc="") == 3
    with pytest.raises(ImproperlyConfigured, match="DAYS is not set"):
        env.required("DAYS", doc="")


def test_a_value_of_the_wrong_type_is_named(monkeypatch: pytest.MonkeyPatch, env: Environment) -> None:
    monkeypatch.setenv("DAYS", "many")
    with pytest.raises(ImproperlyConfigured, match="DAYS is 'many', which is no integer"):
        env.integer("DAYS", default=3, doc="")
    with pytest.raises(ImproperlyConfigured, match="DAYS is 'many', which is no boolean"):
        env.boolean("DAYS", default=True, doc="")


def test_an_old_name_is_read_with_a_warning_that_names_both(
    monkeypatch: pytest.MonkeyPatch, env: Environment
) -> None:
    monkeypatch.setenv("OLD_DAYS", "7")
    with pytest.warns(FutureWarning, match="OLD_DAYS is deprecated.*Rename it to NEW_DAYS"):
        assert env.integer("NEW_DAYS", default=3, doc="", old_name="OLD_DAYS") == 7


def test_an_old_name_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, env: Environment, tmp_path: Path
) -> None:
    (tmp_path / "days").write_text("7")
    monkeypatch.setenv("OLD_DAYS_FILE", str(tmp_path / "days"))
    with pytest.warns(FutureWarning):
        assert env.integer("NEW_DAYS", default=3, doc="", old_name="OLD_DAYS") == 7


def test_the_new_name_takes_precedence_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_variable({"NEW": "a", "OLD": "b"}, "NEW", old_name="OLD") == "a"
        assert read_variable({}, "NEW", old_name="OLD") == ""


def test_these_settings_were_renamed_in_0_2_0() -> None:
    assert {setting.old_name: setting.name for setting in RENAMED} == {
        "TRUSTED_PROXIES": "TRUSTED_PROXY_COUNT",
        "COMMAND_THREADS": "COMMAND_WORKER_THREADS",
        "API_READS_PER_MINUTE": "API_RATE_LIMIT",
        "API_COMMANDS_PER_MINUTE": "API_COMMAND_RATE_LIMIT",
        "INBOX_DAYS": "WEBHOOK_RETENTION_DAYS",
        "INBOX_ASIDE_DAYS": "WEBHOOK_QUARANTINE_RETENTION_DAYS",
        "SMARTCAR_GENERATION": "SMARTCAR_API_VERSION",
        "SMARTCAR_MONTHLY_ALLOWANCE": "SMARTCAR_MONTHLY_LIMIT",
    }


def test_a_process_reads_old_names_and_warns_at_startup() -> None:
    old = {
        "TRUSTED_PROXIES": "3",
        "COMMAND_THREADS": "9",
        "API_READS_PER_MINUTE": "11",
        "API_COMMANDS_PER_MINUTE": "12",
        "INBOX_DAYS": "13",
        "INBOX_ASIDE_DAYS": "14",
        "SMARTCAR_GENERATION": "v2",
        "SMARTCAR_MONTHLY_ALLOWANCE": "15",
    }
    new = {setting.name for setting in RENAMED}
    code = (
        "from django.conf import settings as s; print(s.ALLAUTH_TRUSTED_PROXY_COUNT, s.COMMAND_WORKER_THREADS,"
        " s.BULK_COMMAND_CONCURRENCY, s.API_RATE_LIMIT, s.API_COMMAND_RATE_LIMIT, s.WEBHOOK_RETENTION_DAYS,"
        " s.WEBHOOK_QUARANTINE_RETENTION_DAYS, s.SMARTCAR_API_VERSION, s.SMARTCAR_MONTHLY_LIMIT)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={name: value for name, value in os.environ.items() if name not in new} | old,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stdout.split() == ["3", "9", "6", "11", "12", "13", "14", "v2", "15"]
    for name in old:
        assert f"{name} is deprecated" in result.stderr
