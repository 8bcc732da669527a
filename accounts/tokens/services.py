"""Issuing, finding and revoking API tokens.

A token consists of 32 random bytes, which can't be guessed, so storing a plain SHA-256 of it is safe.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import ApiToken, Fleet, Membership, User
from accounts.permissions import Permission, has_permission

PREFIX = "scf_"
_PREFIX_LENGTH = len(PREFIX) + 6
_TOUCH_INTERVAL = timedelta(minutes=1)
_REFUSALS = {
    Permission.VIEW: gettext_noop(
        "This token wouldn't have any access: %(person)s's role in %(fleet)s (%(role)s) "
        "doesn't allow viewing the fleet's vehicles."
    ),
    Permission.COMMAND: gettext_noop(
        "This token wouldn't have the access it needs: %(person)s's role in %(fleet)s "
        "(%(role)s) doesn't allow sending commands to vehicles."
    ),
}


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token with its secret, which isn't available afterwards."""

    token: ApiToken
    secret: str

    def __repr__(self) -> str:
        return f"Issued({self.token})"


class TokenNotAllowed(Exception):  # noqa: N818  (names what happened)
    """The member's role lacks a permission that the token is for."""


@transaction.atomic
def issue_token(
    *, membership: Membership, name: str, expires_at: datetime | None = None, may_command: bool = False
) -> IssuedToken:
    """Issues a token for the member's fleet. The token can read; with `may_command` it can also send commands.

    Raises TokenNotAllowed if the member's own role doesn't allow that, or if the membership has ended.
    """
    # The role may have changed since the caller read it.
    current = Membership.objects.select_for_update().filter(pk=membership.pk, user__is_active=True).first()
    if current is None:
        raise TokenNotAllowed(gettext("This person is no longer a member."))
    for right in (Permission.VIEW, Permission.COMMAND) if may_command else (Permission.VIEW,):
        if not has_permission(membership=current, right=right):
            params = {
                "person": membership.user.email,
                "fleet": membership.fleet,
                "role": current.get_role_display(),
            }
            raise TokenNotAllowed(gettext(_REFUSALS[right]) % params)
    token = ApiToken(
        user=membership.user,
        fleet=membership.fleet,
        name=name,
        expires_at=expires_at,
        may_command=may_command,
    )
    secret = set_secret(token)
    token.save()
    log_event(
        fleet=token.fleet,
        actor=membership.user,
        event=AuditEvent.TOKEN_CREATED,
        about=(AuditObject.API_TOKEN, token.pk),
        data={"name": str(token), "sends_commands": may_command},
    )
    return IssuedToken(token=token, secret=secret)


def set_secret(token: ApiToken) -> str:
    """Gives a new token its secret, of which it stores only the hash. Returns the secret."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token.prefix, token.secret_hash = secret[:_PREFIX_LENGTH], _hash(secret)
    return secret


def find_token(*, secret: str) -> ApiToken | None:
    """Returns the valid token with this secret, with user and fleet loaded, or None. A user has to be active."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    active = Q(user=None) | Q(user__is_active=True)
    good = ApiToken.objects.filter(unexpired, active, revoked_at=None)
    return good.filter(secret_hash=_hash(secret)).select_related("user", "fleet").first()


def touch(*, token: ApiToken) -> None:
    """Records that the token was used, at most once a minute."""
    now = timezone.now()
    before = now - _TOUCH_INTERVAL
    if token.last_used_at is None or token.last_used_at < before:
        stale = ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=before), pk=token.pk)
        stale.update(last_used_at=now)


class RevocationHandler(Protocol):
    """Ends what was started with the token and hasn't taken effect, in the transaction that revokes the token."""

    def __call__(self, *, token: ApiToken, actor: User) -> None: ...


_revocation_handlers: list[RevocationHandler] = []


def on_revocation(handler: RevocationHandler) -> None:
    """Registers a handler at startup, which runs for each token that is revoked."""
    if handler not in _revocation_handlers:
        _revocation_handlers.append(handler)


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User) -> bool:
    """Revokes the token immediately, and runs the handlers. Returns False if it was already revoked."""
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        return False
    service = token.is_service_account
    log_event(
        fleet=token.fleet,
        actor=actor,
        event=AuditEvent.SERVICE_ACCOUNT_REVOKED if service else AuditEvent.TOKEN_REVOKED,
        about=(AuditObject.SERVICE_ACCOUNT if service else AuditObject.API_TOKEN, token.pk),
        data={"name": str(token)},
    )
    for handler in _revocation_handlers:
        handler(token=token, actor=actor)
    return True


@transaction.atomic
def revoke_tokens(*, fleet: Fleet, user: User, actor: User, commanding: bool = False) -> None:
    """Revokes all tokens of the user for the fleet, or only those that may send commands."""
    tokens = ApiToken.objects.filter(fleet=fleet, user=user, revoked_at=None).select_related("fleet")
    for token in tokens.filter(may_command=True) if commanding else tokens:
        revoke_token(token=token, actor=actor)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
