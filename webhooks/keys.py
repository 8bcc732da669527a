"""The keys that deliveries may be signed with: the management tokens of all Smartcar applications, several of one while
it is rotated.
"""

from dataclasses import dataclass, field

from django.db.models import QuerySet

from connect import applications
from webhooks import signature
from webhooks.models import InboxEntry

_OF_APPLICATION = " of application "


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A management token, the short name by which the inbox records that it fitted, and its application's webhook."""

    name: str
    token: str = field(repr=False)
    webhook_id: str = ""


def current() -> tuple[SigningKey, ...]:
    """All keys in use, that of the settings first. May read the database, every few seconds. Raises DatabaseError."""
    return tuple(
        SigningKey(
            name=_name(key.token, application=key.application_pk), token=key.token, webhook_id=key.webhook_id
        )
        for key in applications.signing_keys()
    )


def fingerprints_for(application: int | None) -> list[str]:
    """The names of one application's keys; None is that of the settings."""
    found = [key for key in applications.signing_keys() if key.application_pk == application]
    return [_name(key.token, application=application) for key in found]


def application_of(name: str) -> int | None:
    """Whose key it is, by the name that the inbox recorded; None is that of the settings."""
    number = name.partition(_OF_APPLICATION)[2]
    return int(number) if number.isdecimal() else None


def signed_by(entries: QuerySet[InboxEntry], *, application: int | None) -> QuerySet[InboxEntry]:
    """Those of the messages that one application vouches for; None is that of the settings."""
    if application is None:
        return entries.exclude(signed_with__contains=_OF_APPLICATION)
    return entries.filter(signed_with__endswith=f"{_OF_APPLICATION}{application}")


def _name(token: str, *, application: int | None) -> str:
    """Which key, and of which application, without anything of the token itself."""
    fingerprint = signature.fingerprint(token)
    return fingerprint if application is None else f"{fingerprint}{_OF_APPLICATION}{application}"


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
