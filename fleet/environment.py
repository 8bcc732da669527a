"""The process environment before settings are read: the env file, and servers where none are named."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parent.parent


def load() -> None:
    """Reads NAME=value lines of the file named by ENV_FILE (default: .env, if present); what is set already wins.

    Raises SystemExit when ENV_FILE names a file that does not exist.
    """
    named = os.environ.get("ENV_FILE")
    path = Path(named) if named else ROOT / ".env"
    if not path.is_absolute():
        path = ROOT / path if not path.exists() else path
    if path.exists():
        environ.Env.read_env(path)
    elif named:
        raise SystemExit(
            f"ENV_FILE names {named}, which does not exist. Name an existing file, or unset ENV_FILE."
        )


@contextmanager
def servers(directory: Path) -> Iterator[None]:
    """Starts the embedded PostgreSQL and Redis in `directory` for as long as the block runs, unless both are named.

    A name that is set but empty counts as unset.
    """
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        yield
        return
    import embedded

    with embedded.servers(directory / "servers", logs=directory / "log") as urls:
        os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or urls.database_url
        os.environ["REDIS_URL"] = os.environ.get("REDIS_URL") or urls.redis_url
        yield
