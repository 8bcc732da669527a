"""Re-encryption of the secrets of second factors."""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from core import encryption

# The keys under which allauth stores encrypted secrets: of authenticator apps, and of recovery codes.
_SECRETS = ("secret", "seed")


def with_secrets() -> QuerySet[Authenticator]:
    """Returns the rows with secrets. Passkeys have only public keys."""
    return Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)


@sensitive_variables()
def newest_secrets(count: int) -> Iterator[bytes]:
    """Yields the encrypted secrets of the newest rows."""
    for data in with_secrets().order_by("-pk").values_list("data", flat=True)[:count]:
        yield from (data[name].encode() for name in _SECRETS if name in data)


@transaction.atomic
@sensitive_variables()
def reencrypt(pk: Any) -> bool:
    """Re-encrypts one row with the newest key.

    Returns False if it already was. Raises DecryptionError if no key fits.
    """
    factor = with_secrets().select_for_update().filter(pk=pk).first()
    if factor is None:
        return False
    encrypted = {name: factor.data[name].encode() for name in _SECRETS if name in factor.data}
    stale = {name: secret for name, secret in encrypted.items() if not encryption.is_current(secret)}
    if not stale:
        return False
    factor.data |= {name: encryption.reencrypt(secret).decode() for name, secret in stale.items()}
    factor.save(update_fields=["data"])
    return True
