"""The keys that deliveries may be signed with: the applications' management tokens, several while one is rotated."""

from dataclasses import dataclass, field

from django.conf import settings

from webhooks import signature


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A management token, and the short name by which the inbox records that it fitted."""

    name: str
    token: str = field(repr=False)


def current() -> tuple[SigningKey, ...]:
    """All keys in use now. The first one answers VERIFY."""
    return tuple(
        SigningKey(name=signature.fingerprint(token), token=token)
        for token in settings.SMARTCAR_MANAGEMENT_TOKENS
    )


def matching(keys: tuple[SigningKey, ...], *, body: bytes, signed: str) -> SigningKey | None:
    """The key that the body was signed with. All of them are tried, so that the time tells nothing."""
    found = None
    for key in keys:
        if signature.fits(token=key.token, body=body, signature=signed):
            found = key
    return found
