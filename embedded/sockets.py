"""The folders of the servers' Unix sockets."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from embedded.errors import ServerError

# unix(7): 108 bytes with the terminating NUL; 104 on macOS and the BSDs.
_LONGEST_PATH = 103
# libpq splits a host at commas, and PostgreSQL its list of folders at commas and quotes, so such paths can't be used.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._/+-]+")


def socket_folder(data: Path, *, socket_name: str, owner: int) -> Path:
    """Returns the folder for the socket of the server with this data; only `owner` may enter the folder.

    The folder is `data` itself. If its path is too long for a socket or contains special characters, the folder is
    created in the temporary directory and named after a hash of the path. Raises `ServerError` if that folder exists
    and belongs to another user.
    """
    if _usable(data / socket_name):
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"smartcar-fleet-{digest}"
    if not _usable(folder / socket_name):
        folder = Path("/tmp") / folder.name  # noqa: S108 - a fixed name is safe: the owner is checked
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    status = folder.lstat()
    if status.st_uid != owner or not stat.S_ISDIR(status.st_mode):
        raise ServerError(f"{folder} is needed for a socket but belongs to another user; remove it")
    return folder


def remove_socket_folder(folder: Path, data: Path) -> None:
    """Removes the folder that `socket_folder` created for the server on `data`, which has stopped."""
    if folder != data:
        shutil.rmtree(folder, ignore_errors=True)


def _usable(path: Path) -> bool:
    text = str(path)
    return len(os.fsencode(text)) <= _LONGEST_PATH and _PLAIN_PATH.fullmatch(text) is not None
