"""`python -m embedded COMMAND [ARGUMENT ...]`: runs a command with new, empty servers of its own.

The command gets their addresses in `DATABASE_URL` and `REDIS_URL`, and its exit code is returned. The servers and
their data are removed afterwards.
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
                addresses = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
                return subprocess.run(command, env=os.environ | addresses, check=False).returncode  # noqa: S603
        except embedded.ServerError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
