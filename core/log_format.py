"""Log lines without the secrets of personal links: Django logs the path of a request that went wrong."""

import logging
import re

_LINK = re.compile(
    r"(/connect/(?:invitation|driver|mine)/|/accounts/(?:invitation|e-mail/confirm|password/new)/)[^/\s\"']+"
)


class LineFormatter(logging.Formatter):
    """Formats as usual, with the secret of a personal link left out, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return _LINK.sub(r"\1…", super().format(record))
