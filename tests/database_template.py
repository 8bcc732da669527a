"""The data folder of a PostgreSQL whose test database has all tables, so that test sessions needn't migrate.

A session copies the folder before it starts its server. The folder is created once per state of the migrations, in
var/tests, and removed when a newer one is created. `python -m tests.database_template FOLDER` creates one; the
environment must contain the settings of tests (tests.servers).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import embedded

_PROJECT = Path(__file__).resolve().parent.parent
_FOLDER = _PROJECT / "var" / "tests"
_PREFIX = "database-"
# All files that affect the tables or the data folder.
_SOURCES = (
    "*/migrations/*.py",
    "*/*/migrations/*.py",
    "requirements.txt",
    "embedded/*.py",
    "tests/database_template.py",
)


def copy_to(folder: Path) -> None:
    """Copies PostgreSQL's data folder to `folder`, and creates the template first if necessary.

    Raises embedded.ServerError if the template can't be created.
    """
    template = _FOLDER / f"{_PREFIX}{_key()}"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.is_dir():
            _create(template)
    # Unlike shutil, cp keeps the owner, which is another user if this process runs as root.
    subprocess.run(["cp", "-a", template, folder / "postgres"], check=True)


def _key() -> str:
    files = sorted({path for pattern in _SOURCES for path in _PROJECT.glob(pattern)})
    # Migrations create the partitions of the month in which they run.
    digest = hashlib.sha256(f"{datetime.now(tz=UTC):%Y-%m}".encode())
    for path in files:
        digest.update(str(path.relative_to(_PROJECT)).encode() + path.read_bytes())
    return digest.hexdigest()[:20]


def _create(template: Path) -> None:
    for previous in _FOLDER.glob(f"{_PREFIX}*"):
        shutil.rmtree(previous, ignore_errors=True)
    building = _FOLDER / "building"
    shutil.rmtree(building, ignore_errors=True)
    command = [sys.executable, "-m", "tests.database_template", str(building)]
    result = subprocess.run(command, cwd=_PROJECT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise embedded.ServerError(
            f"the template of the test database can't be made: {result.stderr[-2000:]}"
        )
    (building / "postgres").rename(template)
    shutil.rmtree(building, ignore_errors=True)


def main(folder: Path) -> None:
    """Creates the test database with all tables, then stops the server."""
    with embedded.servers(folder, logs=folder, durable=False) as urls:
        os.environ |= {"DATABASE_URL": urls.database_url, "REDIS_URL": urls.redis_url}
        import django

        django.setup()
        from django.db import connection

        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        connection.close()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleet.settings")
    main(Path(sys.argv[1]))
