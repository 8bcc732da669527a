"""Removes the secrets of personal links from log lines, because Django logs the paths of failed requests."""

import logging
import re

_LINK = re.compile(
    r"(/connect/(?:invitation|driver|mine)/|/accounts/(?:invitation|e-mail/confirm|password/new)/)[^/\s\"']+"
)


class LineFormatter(logging.Formatter):
    """Formats as usual, without the secrets of personal links, also in tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return _LINK.sub(r"\1…", super().format(record))


def configuration(*, level: str) -> dict[str, object]:
    """Django's LOGGING: everything of at least `level` to standard error, one line per record."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "core.log_format.LineFormatter",
                "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        # httpx logs full URLs, which may include user IDs; fido2 logs whose passkey was used; Celery logs tasks twice.
        "loggers": {
            name: {"level": "WARNING"}
            for name in (
                "httpx",
                "httpcore",
                "urllib3",
                "fido2",
                "celery.app.trace",
                "celery.worker.strategy",
            )
        },
    }
