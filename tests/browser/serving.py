"""The real web server with its own static files, for tests that open many pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from tests.web import running_web


@contextmanager
def serving(folder: Path, *, port: int = 0, hashed: bool = False) -> Iterator[str]:
    """Run the server and yield its URL. With `hashed`, static files are built as by `make setup` in half a minute."""
    static = folder / "static"
    backend = (
        "core.staticfiles.Storage" if hashed else "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}
    with override_settings(STORAGES=storages, STATIC_ROOT=str(static)):
        call_command("collectstatic", verbosity=0, interactive=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATIC_HASHED", str(hashed))
        patch.setenv("STATIC_ROOT", str(static))
        with running_web(folder / "web.log", port=port) as url:
            yield url
