"""Log lines: without the secrets of personal links, as Django logs the paths of failed requests; with request IDs."""

import logging
import re

from core import request_ids

_LINK = re.compile(
    r"(/connect/(?:invitation|driver|mine)/|/accounts/(?:invitation|e-mail/confirm|password/new)/)[^/\s\"']+"
)


class LineFormatter(logging.Formatter):
    """Formats as usual, without the secrets of personal links, also in tracebacks; adds the request's ID if any."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        line = super().formatMessage(record)
        request_id = request_ids.for_record(record)
        return f"{line} [{request_id}]" if request_id else line

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
