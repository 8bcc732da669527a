"""`python -m embedded COMMAND [ARGUMENT ...]`: run a command beside servers started for it alone, and empty.

It finds them by `DATABASE_URL` and `REDIS_URL`; its exit code is ours. They and their data are gone afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import embedded


def main(command: list[str]) -> int:
    if not command:
        sys.exit("usage: python -m embedded COMMAND [ARGUMENT ...]")
    with tempfile.TemporaryDirectory(prefix="smartcar-fleet-") as folder:
        try:
            with embedded.servers(Path(folder), logs=Path(folder), durable=False) as servers:
                named = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
                return subprocess.run(command, env=os.environ | named, check=False).returncode  # noqa: S603
        except embedded.ServerError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
