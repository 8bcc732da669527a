"""Which drivers a bulk request would ask, and how far it has come. Each query is limited to one fleet."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from accounts.models import Fleet
from connect import emails
from connect.connections.selectors import Driver, list_drivers
from connect.models import BulkRequest, Connection, ConnectionState, Invitation
from connect.permission_settings.selectors import requested_scopes
from connect.status.states import TERMINATED, AuthorizationPurpose
from core.mail.models import OutgoingEmail
from core.one_time_links import InvitationState
from vehicles.makes import make_key, make_name

PURPOSES = (AuthorizationPurpose.SIGN_IN, AuthorizationPurpose.PERMISSIONS)


@dataclass(frozen=True, slots=True)
class AskedDriver:
    """A driver to ask, with the connections concerned: those of one account with one manufacturer."""

    driver: Driver
    connections: Sequence[Connection]


def drivers_to_ask(*, fleet: Fleet, purpose: AuthorizationPurpose, make: str = "") -> list[AskedDriver]:
    """Returns the drivers that a bulk request would ask, by name.

    To sign in again: all drivers of the make, since a change at the manufacturer concerns working connections, too.
    For permissions: those who grant less than the fleet requests. If it is unknown what a driver grants, they aren't
    asked.
    """
    ended = TERMINATED if purpose is AuthorizationPurpose.PERMISSIONS else (ConnectionState.REMOVED,)
    found = Connection.objects.filter(fleet=fleet).exclude(state__in=ended)
    connections = [
        each
        for each in found.select_related("vehicle", "fleet", "application", "tokens").order_by("pk")
        if not make or make_key(each.vehicle.make) == make_key(make)
    ]
    if purpose is AuthorizationPurpose.PERMISSIONS:
        requested = set(requested_scopes(fleet=fleet))
        connections = [each for each in connections if each.scopes and not requested <= set(each.scopes)]
    return _by_driver(fleet, connections)


def _by_driver(fleet: Fleet, connections: Iterable[Connection]) -> list[AskedDriver]:
    accounts: dict[tuple[object, ...], list[Connection]] = {}
    for each in connections:
        key = (each.smartcar_user_id, make_key(each.vehicle.make), each.application_id, each.mode)
        accounts.setdefault(key, []).append(each)
    drivers = list_drivers(fleet=fleet, smartcar_user_ids={str(key[0]) for key in accounts})
    asked = [
        AskedDriver(drivers.get(str(key[0]), Driver()), sorted(held, key=_usable_last))
        for key, held in accounts.items()
    ]
    return sorted(asked, key=lambda each: (str(each.driver), each.connections[0].pk))


def _usable_last(connection: Connection) -> bool:
    return not connection.degraded


@dataclass(frozen=True, slots=True)
class MakeCount:
    """A make of the fleet's connected vehicles, and how many drivers a request to it would ask."""

    make: str
    name: str
    drivers: int
    mailable: int


def count_by_make(*, fleet: Fleet) -> list[MakeCount]:
    """Returns the makes whose drivers can be asked to sign in again, by name."""
    by_make: dict[str, list[AskedDriver]] = {}
    for each in drivers_to_ask(fleet=fleet, purpose=AuthorizationPurpose.SIGN_IN):
        by_make.setdefault(make_key(each.connections[0].vehicle.make), []).append(each)
    counts = [
        MakeCount(make, make_name(make), len(asked), sum(bool(each.driver.email) for each in asked))
        for make, asked in by_make.items()
        if make
    ]
    return sorted(counts, key=lambda each: each.name)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a bulk request has come. `rows` has each invitation with its latest email."""

    request: BulkRequest
    rows: Sequence[tuple[Invitation, OutgoingEmail | None]]

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def done(self) -> int:
        return self._count(InvitationState.USED)

    @property
    def waiting(self) -> int:
        return self._count(InvitationState.OPEN)

    @property
    def ended(self) -> int:
        """How many links expired or were revoked without being used."""
        return self.total - self.done - self.waiting

    @property
    def version(self) -> str:
        """A version that changes with what the page shows."""
        shown = [
            (invitation.pk, invitation.state, email and (email.state, email.error))
            for invitation, email in self.rows
        ]
        return f"{crc32(repr(shown).encode())}"

    def _count(self, state: InvitationState) -> int:
        return sum(invitation.state == state for invitation, _ in self.rows)


def get_progress(request: BulkRequest) -> Progress:
    """Returns the progress of a bulk request, in two queries."""
    invitations = request.invitations.select_related("connection__vehicle", "fleet").order_by(
        "driver_name", "pk"
    )
    return Progress(request, emails.with_emails(emails.INVITATION, invitations))


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """A bulk request with the number of drivers asked, and of those who did what was asked."""

    request: BulkRequest
    asked: int
    done: int


def list_requests(*, fleet: Fleet, limit: int = 50) -> list[RequestSummary]:
    """Returns the fleet's latest bulk requests, newest first."""
    requests = list(BulkRequest.objects.filter(fleet=fleet).select_related("created_by", "fleet")[:limit])
    invitations = Invitation.objects.filter(bulk_request__in=requests)
    asked: Counter[int | None] = Counter()
    done: Counter[int | None] = Counter()
    for request_id, used_at in invitations.values_list("bulk_request_id", "used_at"):
        asked[request_id] += 1
        done[request_id] += used_at is not None
    return [RequestSummary(each, asked[each.pk], done[each.pk]) for each in requests]


def get_request(*, fleet: Fleet, request_id: int) -> BulkRequest | None:
    """Returns the fleet's bulk request with this ID, or None."""
    return (
        BulkRequest.objects.filter(fleet=fleet, pk=request_id).select_related("created_by", "fleet").first()
    )
