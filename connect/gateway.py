"""The one door for calls about a connection: the right client, a valid token, one place that every call passes.

Nothing else calls Smartcar about a car. What limits calls, counts them or chooses between applications stands here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from connect import applications, vault
from connect.models import Connection
from connect.smartcar import Access, SmartcarApi

T = TypeVar("T")


class Purpose(StrEnum):
    """Why a call is made, most urgent first."""

    COMMAND = "command"
    PERSON = "person"  # Somebody waits for the answer.
    BACKGROUND = "background"


def call(*, connection: Connection, purpose: Purpose, make: Callable[[SmartcarApi, Access], T]) -> T:
    """What the call returns; on a 401 it is made once more with a new token. Not for commands.

    Raises connect.vault.TokensUnavailableError and what `make` raises (SmartcarError).
    """
    api = applications.of_connection(connection).api(connection.generation)
    return vault.calling(connection=connection, call=lambda access: make(api, access))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that is ready to be sent once: its token is in hand."""

    connection: Connection
    api: SmartcarApi
    access: Access = field(repr=False)

    def send(self, make: Callable[[SmartcarApi, Access], T]) -> T:
        """Makes the call, exactly once. Raises SmartcarError."""
        return make(self.api, self.access)


def prepare(*, connection: Connection, purpose: Purpose) -> Prepared:
    """Everything that can fail before the sending, so that a claim is taken only when nothing but the call is left.

    Raises connect.vault.TokensUnavailableError or SmartcarError; then nothing was sent to the car.
    """
    access = vault.access(connection=connection)
    api = applications.of_connection(connection).api(connection.generation)
    return Prepared(connection, api, access)


def refused_token(*, connection: Connection) -> None:
    """Smartcar answered 401 to a call that is not repeated: the next call gets a new token."""
    vault.forget_application_token(application=applications.of_connection(connection))
