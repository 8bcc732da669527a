"""The keys that deliveries may be signed with: the management tokens of all Smartcar applications, several of one while
it is rotated.
"""

from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from connect import applications
from webhooks import signature
from webhooks.models import InboxEntry

# In the column that versions before 0.2.0 wrote: "fingerprint of application 5".
_LEGACY = " of application "


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A management token with its fingerprint, its application (None: that of the settings) and that one's webhook."""

    token: str = field(repr=False)
    application_id: int | None = None
    webhook_id: str = ""

    @property
    def fingerprint(self) -> str:
        """A short name of the token, safe to store and show."""
        return signature.fingerprint(self.token)


def current() -> tuple[SigningKey, ...]:
    """All keys in use, that of the settings first. May read the database, every few seconds. Raises DatabaseError."""
    return tuple(
        SigningKey(token=key.token, application_id=key.application_pk, webhook_id=key.webhook_id)
        for key in applications.signing_keys()
    )


def application_of(entry: InboxEntry) -> int | None:
    """The application whose key signed the entry; None is that of the settings."""
    if entry.application_id is not None or entry.key_fingerprint:
        return entry.application_id
    number = entry.signed_with.partition(_LEGACY)[2]
    return int(number) if number.isdecimal() else None


def signed_by(entries: QuerySet[InboxEntry], *, application: int | None) -> QuerySet[InboxEntry]:
    """The entries that were signed with a key of the application; None is that of the settings."""
    if application is None:
        return entries.filter(application=None).exclude(key_fingerprint="", signed_with__contains=_LEGACY)
    old = Q(key_fingerprint="", signed_with__endswith=f"{_LEGACY}{application}")
    return entries.filter(Q(application=application) | old)


def matching_key(keys: tuple[SigningKey, ...], *, body: bytes, signed: str) -> SigningKey | None:
    """The key that the body was signed with. All of them are tried, so that the time tells nothing."""
    found = None
    for key in keys:
        if signature.is_valid(token=key.token, body=body, signature=signed):
            found = key
    return found


def key_for_verification(keys: tuple[SigningKey, ...], *, webhook_id: str) -> SigningKey | None:
    """The key to answer a VERIFY with: that of the webhook's application, else of the settings. None without keys.

    A webhook being made in the dashboard is verified before anybody could tell us its id.
    """
    return next(
        (key for key in keys if webhook_id and key.webhook_id == webhook_id), keys[0] if keys else None
    )
