"""The secrets of second factors under our ring of keys."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from core import encryption

# Where allauth keeps what its adapter has encrypted: of an authenticator app, and of recovery codes.
_SECRETS = ("secret", "seed")


def with_secrets() -> QuerySet[Authenticator]:
    """The rows that hold secrets; those of passkeys hold public keys only."""
    return Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)


@transaction.atomic
@sensitive_variables()
def reencrypt(pk: Any) -> bool:
    """Brings one row under the newest key. False when it was already. Raises DecryptionError when no key fits."""
    factor = with_secrets().select_for_update().filter(pk=pk).first()
    if factor is None:
        return False
    held = {name: factor.data[name].encode() for name in _SECRETS if name in factor.data}
    stale = {name: secret for name, secret in held.items() if not encryption.is_current(secret)}
    if not stale:
        return False
    factor.data |= {name: encryption.reencrypt(secret).decode() for name, secret in stale.items()}
    factor.save(update_fields=["data"])
    return True
