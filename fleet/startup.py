"""Problems that a process reports when it starts, because they concern stored data and not only settings."""

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from connect.key_check import WRONG_KEYS, keys_fit

logger = logging.getLogger(__name__)


def log_problems() -> None:
    """Logs wrong encryption keys. `/readyz` is 503 until they are right. An unreachable database isn't checked."""
    try:
        if not keys_fit():
            logger.critical(WRONG_KEYS)
    except ImproperlyConfigured as error:
        logger.critical("%s", error)
    except DatabaseError as error:
        logger.warning("Encryption keys not checked: no answer of the database (%s).", type(error).__name__)
