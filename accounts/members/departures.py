"""What ends when a member loses permissions. Apps above this one register their own handlers at startup."""

from typing import Protocol

from accounts.models import Fleet, Membership, User
from accounts.permissions import Permission
from accounts.tokens.services import revoke_tokens


class LossHandler(Protocol):
    """Ends what the user may no longer do in the fleet, in the transaction that takes the permission."""

    def __call__(self, *, fleet: Fleet, user: User, actor: User) -> None: ...


_handlers: list[tuple[Permission, LossHandler]] = []


def register(handler: LossHandler, *, right: Permission) -> None:
    """Registers a handler, which runs whenever a user loses the permission `right` in a fleet."""
    if (right, handler) not in _handlers:
        _handlers.append((right, handler))


def end_membership(*, membership: Membership, actor: User) -> None:
    """Deletes the membership, revokes the user's API tokens for the fleet, and runs all handlers.

    Call it in a transaction. `membership` has fleet and user loaded.
    """
    fleet, user = membership.fleet, membership.user
    # First the row, which issuing a token locks: no token can be added after the others were revoked.
    membership.delete()
    end_permissions(fleet=fleet, user=user, lost=frozenset(Permission), actor=actor)


def end_permissions(*, fleet: Fleet, user: User, lost: frozenset[Permission], actor: User) -> None:
    """Revokes the user's API tokens that need one of the lost permissions, and runs the handlers of these.

    Call it in the transaction that takes the permissions, after the membership was changed.
    """
    if Permission.VIEW in lost:
        revoke_tokens(fleet=fleet, user=user, actor=actor)
    elif Permission.COMMAND in lost:
        revoke_tokens(fleet=fleet, user=user, actor=actor, commanding=True)
    for right, handler in _handlers:
        if right in lost:
            handler(fleet=fleet, user=user, actor=actor)
