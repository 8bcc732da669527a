"""Where a server's Unix socket goes."""

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

# unix(7): 108 bytes with the closing NUL; macOS and the BSDs have 104.
_LONGEST_PATH = 103
# libpq splits a host at commas, PostgreSQL its folder list at commas and quotes; such names go elsewhere.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._/+-]+")


def socket_folder(data: Path, *, socket_name: str, owner: int) -> Path:
    """The folder for the socket of the server whose data is in `data`; only `owner` may enter it.

    That is `data` itself, or, where its path is too long for a socket or holds special characters, a folder
    made in the temporary directory and named by a hash of it. Raises `ServerError` if that one
    belongs to somebody else.
    """
    if _usable(data / socket_name):
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"smartcar-fleet-{digest}"
    if not _usable(folder / socket_name):
        folder = Path("/tmp") / folder.name  # noqa: S108 - a fixed name is safe: made owner-only, and checked
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    status = folder.lstat()
    if status.st_uid != owner or not stat.S_ISDIR(status.st_mode):
        raise ServerError(f"{folder} is needed for a socket but belongs to somebody else; remove it")
    return folder


def leave(folder: Path, data: Path) -> None:
    """Remove what `socket_folder` made for the server on `data`, which has stopped."""
    if folder != data:
        shutil.rmtree(folder, ignore_errors=True)


def _usable(path: Path) -> bool:
    text = str(path)
    return len(os.fsencode(text)) <= _LONGEST_PATH and _PLAIN_PATH.fullmatch(text) is not None
