"""What else ends with a membership. Apps above this one register their own handlers at startup."""

from typing import Protocol

from accounts.models import Fleet, Membership, User
from accounts.tokens.services import revoke_tokens


class DepartureHandler(Protocol):
    """Ends what the user still has in the fleet, in the transaction that deletes the membership."""

    def __call__(self, *, fleet: Fleet, user: User, actor: User) -> None: ...


_handlers: list[DepartureHandler] = []


def register(handler: DepartureHandler) -> None:
    """Registers a handler, which runs once for each membership that ends."""
    if handler not in _handlers:
        _handlers.append(handler)


def end_membership(*, membership: Membership, actor: User) -> None:
    """Deletes the membership, revokes the user's API tokens for the fleet, and runs the handlers.

    Call it in a transaction. `membership` has fleet and user loaded.
    """
    fleet, user = membership.fleet, membership.user
    # First the row, which issuing a token locks: no token can be added after the others were revoked.
    membership.delete()
    revoke_tokens(fleet=fleet, user=user, actor=actor)
    for handler in _handlers:
        handler(fleet=fleet, user=user, actor=actor)
