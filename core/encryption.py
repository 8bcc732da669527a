"""Encryption of stored secrets with a list of keys: the first key encrypts, every key decrypts."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_NO_KEY_FITS = (
    "A stored token was encrypted with a key that is not in FIELD_ENCRYPTION_KEYS. "
    "Put the former key back at the end of the list."
)


class DecryptionError(Exception):
    """A secret was encrypted with a key that FIELD_ENCRYPTION_KEYS no longer contains."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS contains no key. Create one: see .env.example.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS contains a value that is not a Fernet key (32 bytes, URL-safe base64). "
            "Create one: see .env.example."
        ) from error


def fernet() -> MultiFernet:
    """The configured keys. Raises ImproperlyConfigured when a key is missing or malformed."""
    return _fernet(tuple(settings.FIELD_ENCRYPTION_KEYS))


def encrypt(secret: str) -> bytes:
    """The secret, encrypted with the newest key."""
    return fernet().encrypt(secret.encode())


def is_current(ciphertext: bytes | memoryview) -> bool:
    """Whether the ciphertext was made with the newest key. Raises ImproperlyConfigured."""
    fernet()  # Reports a malformed setting first.
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(bytes(ciphertext))
    except InvalidToken:
        return False
    return True


def reencrypt(ciphertext: bytes | memoryview) -> bytes:
    """The same secret, encrypted with the newest key. Raises DecryptionError when no configured key fits."""
    try:
        return fernet().rotate(bytes(ciphertext))
    except InvalidToken:
        raise DecryptionError(_NO_KEY_FITS) from None


def decrypt(ciphertext: bytes | memoryview) -> str:
    """The secret. Raises DecryptionError when no configured key fits."""
    try:
        return fernet().decrypt(bytes(ciphertext)).decode()
    except InvalidToken:
        raise DecryptionError(_NO_KEY_FITS) from None
