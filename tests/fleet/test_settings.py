"""A process refuses to start without a required setting, and names it."""

import os
import subprocess
import sys

import pytest


def start(**changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); print('started')"],
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_starts_with_all_required_settings() -> None:
    assert start().stdout == "started\n"


@pytest.mark.parametrize(
    "name", ["DJANGO_SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL", "SITE_URL"]
)
def test_a_process_refuses_to_start_without(name: str) -> None:
    result = start(**{name: ""})
    assert result.returncode != 0
    assert f"{name} is not set" in result.stderr


def test_a_missing_env_file_is_reported() -> None:
    result = start(ENV_FILE="no/such.env")
    assert "ENV_FILE names no/such.env, which does not exist" in result.stderr


def test_a_secret_can_be_read_from_a_file(tmp_path: object) -> None:
    path = f"{tmp_path}/key"
    with open(path, "w") as file:  # noqa: PTH123
        file.write("from a file " * 8)
    environment = {"DJANGO_SECRET_KEY_FILE": path}
    env = {**os.environ, **environment}
    del env["DJANGO_SECRET_KEY"]
    code = "import django; django.setup(); from django.conf import settings; print(settings.SECRET_KEY[:11])"
    result = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stdout == "from a file\n"
