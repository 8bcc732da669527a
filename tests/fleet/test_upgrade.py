"""Upgrading a database of version 0.1 preserves all of its data."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection


@pytest.fixture
def empty_database(transactional_db: None) -> Iterator[str]:
    """The URL of a database without tables."""
    name = f"upgrade_{uuid.uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.slow
def test_the_demo_of_version_0_1_is_upgraded_and_every_page_is_displayed(
    empty_database: str,
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.fleet.upgrade"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": empty_database},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-500:] + run.stderr[-3000:]
    assert int(run.stdout.split()[-2]) > 50
