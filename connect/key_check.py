"""Finds out whether FIELD_ENCRYPTION_KEYS fits the secrets that are stored."""

from collections.abc import Iterator

from accounts import mfa
from connect.key_rotation import encrypted_columns
from core import encryption

# Newest rows of each table. Older ones may be left over from a key that was lost.
_SAMPLE = 3
WRONG_KEYS = (
    "FIELD_ENCRYPTION_KEYS fits none of the stored tokens and secrets, so nothing can be read from Smartcar. "
    "Put the key that encrypted them back at the end of the list, and restart."
)


def keys_fit() -> bool:
    """Returns whether a key decrypts any of the newest secrets of each table, or there are none.

    Raises DatabaseError, and ImproperlyConfigured if the setting is malformed.
    """
    readable = [_is_readable(secret) for secret in _newest_secrets()]
    return any(readable) or not readable


def _newest_secrets() -> Iterator[bytes]:
    for model, columns in encrypted_columns().items():
        for column in columns:
            stored = model._default_manager.exclude(**{column: b""}).exclude(**{column: None})
            for secret in stored.order_by("-pk").values_list(column, flat=True)[:_SAMPLE]:
                yield bytes(secret)
    yield from mfa.newest_secrets(_SAMPLE)


def _is_readable(ciphertext: bytes) -> bool:
    try:
        encryption.decrypt(ciphertext)
    except encryption.DecryptionError:
        return False
    return True
