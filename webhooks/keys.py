"""The keys that may sign deliveries: the management tokens of all Smartcar applications.

An application has several of them while its token is rotated.
"""

from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from connect import applications
from webhooks import signature
from webhooks.models import InboxEntry

# Separator in the column that versions before 0.2.0 wrote: "fingerprint of application 5".
_LEGACY_SEPARATOR = " of application "


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A management token, its application (None: the one in the settings) and that application's webhook ID."""

    token: str = field(repr=False)
    application_id: int | None = None
    webhook_id: str = ""

    @property
    def fingerprint(self) -> str:
        """A short identifier of the token that is safe to store and show."""
        return signature.fingerprint(self.token)


def current() -> tuple[SigningKey, ...]:
    """Returns all keys in use, those of the settings first. Queries the database every few seconds at most.

    Raises DatabaseError.
    """
    return tuple(
        SigningKey(token=key.token, application_id=key.application_pk, webhook_id=key.webhook_id)
        for key in applications.signing_keys()
    )


def get_application_id(entry: InboxEntry) -> int | None:
    """Returns the application whose key signed the entry; None is the one in the settings."""
    if entry.application_id is not None or entry.key_fingerprint:
        return entry.application_id
    number = entry.signed_with.partition(_LEGACY_SEPARATOR)[2]
    return int(number) if number.isdecimal() else None


def signed_by(entries: QuerySet[InboxEntry], *, application: int | None) -> QuerySet[InboxEntry]:
    """Returns the entries signed with a key of the application; None is the one in the settings."""
    if application is None:
        return entries.filter(application=None).exclude(
            key_fingerprint="", signed_with__contains=_LEGACY_SEPARATOR
        )
    legacy = Q(key_fingerprint="", signed_with__endswith=f"{_LEGACY_SEPARATOR}{application}")
    return entries.filter(Q(application=application) | legacy)


def matching_key(keys: tuple[SigningKey, ...], *, body: bytes, signed: str) -> SigningKey | None:
    """Returns the key that signed the body. Tries every key, so that the time taken reveals nothing."""
    found = None
    for key in keys:
        if signature.is_valid(token=key.token, body=body, signature=signed):
            found = key
    return found


def key_for_verification(keys: tuple[SigningKey, ...], *, webhook_id: str) -> SigningKey | None:
    """Returns the key that responds to a VERIFY event: the one of the webhook's application, else the first key.

    A webhook that is being created in Smartcar's dashboard is verified before its ID can be configured here. None if
    there are no keys.
    """
    return next(
        (key for key in keys if webhook_id and key.webhook_id == webhook_id), keys[0] if keys else None
    )
