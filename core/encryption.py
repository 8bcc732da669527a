"""The ring of keys that secrets are encrypted with: the first encrypts, all decrypt."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_WRONG_KEY = (
    "A stored token was encrypted with a key that is not in FIELD_ENCRYPTION_KEYS. "
    "Put the former key back at the end of the list."
)


class WrongKeyError(Exception):
    """A secret was encrypted with a key that FIELD_ENCRYPTION_KEYS no longer holds."""


@lru_cache(maxsize=4)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS holds no key. Make one: see .env.example.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS holds something that is not a Fernet key (32 bytes, URL-safe base64). "
            "Make one: see .env.example."
        ) from error


def ring() -> MultiFernet:
    """The ring of the settings. Raises ImproperlyConfigured when a key is missing or malformed."""
    return _ring(tuple(settings.FIELD_ENCRYPTION_KEYS))


def encrypt(secret: str) -> bytes:
    """The secret under the newest key."""
    return ring().encrypt(secret.encode())


def is_current(ciphertext: bytes | memoryview) -> bool:
    """Whether it is under the newest key."""
    ring()  # Says what is wrong with the settings, if anything is.
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(bytes(ciphertext))
    except InvalidToken:
        return False
    return True


def reencrypt(ciphertext: bytes | memoryview) -> bytes:
    """The same secret under the newest key. Raises WrongKeyError when no key of the ring fits."""
    try:
        return ring().rotate(bytes(ciphertext))
    except InvalidToken:
        raise WrongKeyError(_WRONG_KEY) from None


def decrypt(ciphertext: bytes | memoryview) -> str:
    """The secret. Raises WrongKeyError when no key of the ring fits."""
    try:
        return ring().decrypt(bytes(ciphertext)).decode()
    except InvalidToken:
        raise WrongKeyError(_WRONG_KEY) from None
