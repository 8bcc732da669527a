"""The process environment: the env file, embedded servers, and settings declared with their documentation."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
_T = TypeVar("_T")


def load() -> None:
    """Read NAME=value lines from the file that ENV_FILE names, or else from .env if that file exists.

    Variables that are already set keep their values. Raises SystemExit if ENV_FILE names a file that doesn't exist.
    """
    configured = os.environ.get("ENV_FILE")
    path = Path(configured) if configured else ROOT / ".env"
    if not path.is_absolute():
        path = ROOT / path if not path.exists() else path
    if path.exists():
        environ.Env.read_env(path)
    elif configured:
        raise SystemExit(
            f"ENV_FILE names {configured}, which does not exist. Name an existing file, or unset ENV_FILE."
        )


@contextmanager
def servers(directory: Path) -> Iterator[None]:
    """Run the embedded PostgreSQL and Redis in `directory` for the duration of the block.

    Only servers without a URL are started: DATABASE_URL and REDIS_URL name existing ones. An empty URL counts as unset.
    """
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        yield
        return
    import embedded

    with embedded.servers(directory / "servers", logs=directory / "log") as urls:
        os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or urls.database_url
        os.environ["REDIS_URL"] = os.environ.get("REDIS_URL") or urls.redis_url
        yield


def celery_broker_url(redis_url: str) -> str:
    """Convert a redis-py URL to Celery's form.

    Unix sockets (`unix:///path?db=0`) are spelled differently. With `rediss://`, redis-py checks the server's
    certificate and host name unless the URL says otherwise, and Celery only if it says so.
    """
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        database = parse_qs(parts.query).get("db", ["0"])[0]
        return f"redis+socket://{parts.path}?virtual_host={database}"
    if parts.scheme == "rediss":
        checks = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}
        query = urlencode(checks | dict(parse_qsl(parts.query)), safe="/")
        return parts._replace(query=query).geturl()
    return redis_url


@dataclass(frozen=True)
class Setting:
    """One environment variable, as docs/configuration.md and .env.example describe it."""

    name: str
    type: str
    doc: str
    default: str = ""
    required: bool = False
    # A value to start from in .env.example, where the default is none.
    example: str = ""
    # The name in the release before, which is still read.
    old_name: str = ""


@dataclass(frozen=True)
class Section:
    """A heading of the configuration reference with its settings."""

    title: str
    settings: list[Setting] = field(default_factory=list)


class Environment:
    """Reads typed settings from environment variables and records each for the configuration reference.

    `NAME_FILE` names a file to read the value from. An empty value counts as unset. Each reader takes `doc` for the
    reference, and `shown` where the default depends on other settings. All raise ImproperlyConfigured for a value
    of the wrong type.
    """

    def __init__(self) -> None:
        self._env = environ.FileAwareEnv()
        self.sections: list[Section] = []

    def section(self, title: str) -> None:
        """Start a section; the settings read next belong to it."""
        self.sections.append(Section(title))

    def required(self, name: str, *, doc: str, example: str = "") -> str:
        """A text without a default. Raises ImproperlyConfigured, naming the setting, if it isn't set."""
        value = self._value(Setting(name, "text", doc, required=True, example=example))
        if not value:
            raise ImproperlyConfigured(
                f"{name} is not set. Copy .env.example to .env and fill it in. "
                "To run a command beside a demo, set ENV_FILE=var/demo.env."
            )
        return value

    def text(
        self,
        name: str,
        *,
        default: str = "",
        doc: str,
        shown: str = "",
        example: str = "",
        old_name: str = "",
    ) -> str:
        setting = Setting(name, "text", doc, shown or default, example=example, old_name=old_name)
        return self._value(setting) or default

    def boolean(self, name: str, *, default: bool, doc: str) -> bool:
        """True for true, yes, on and 1; False for false, no, off and 0; in any case."""
        return self._parsed(Setting(name, "boolean", doc, str(default).lower()), _boolean, default)

    def integer(
        self,
        name: str,
        *,
        default: int,
        doc: str,
        shown: str = "",
        old_name: str = "",
    ) -> int:
        setting = Setting(name, "integer", doc, shown or str(default), old_name=old_name)
        return self._parsed(setting, int, default)

    def number(self, name: str, *, default: float, doc: str) -> float:
        return self._parsed(Setting(name, "number", doc, f"{default:g}"), float, default)

    def items(
        self,
        name: str,
        *,
        default: list[str],
        doc: str,
        shown: str = "",
        example: str = "",
    ) -> list[str]:
        """A list of texts, separated by commas."""
        setting = Setting(name, "list", doc, shown or ",".join(default), example=example)
        return self._parsed(setting, split, default)

    def _parsed(self, setting: Setting, parse: Callable[[str], _T], default: _T) -> _T:
        value = self._value(setting)
        if not value:
            return default
        try:
            return parse(value)
        except ValueError:
            raise ImproperlyConfigured(f"{setting.name} is {value!r}, which is no {setting.type}.") from None

    def _value(self, setting: Setting) -> str:
        """The text of the variable, or of its old name; empty if neither is set."""
        self.sections[-1].settings.append(setting)
        return read_variable(self._env.ENVIRON, setting.name, old_name=setting.old_name)


def read_variable(values: Mapping[str, str], name: str, *, old_name: str = "") -> str:
    """The value of `name` or else of `old_name`, with a warning; empty if neither is set."""
    if (value := values.get(name, "")) or not old_name:
        return value
    if value := values.get(old_name, ""):
        warnings.warn(
            f"{old_name} is deprecated and will be ignored by the next release. Rename it to {name}.",
            FutureWarning,
            stacklevel=2,
        )
    return value


def split(text: str) -> list[str]:
    """The parts between commas, without the space around them and without empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "yes", "y", "on", "ok", "1"):
        return True
    if word in ("false", "no", "n", "off", "0"):
        return False
    raise ValueError(text)
