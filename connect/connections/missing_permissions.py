"""Permissions that a driver didn't grant: declined, or never requested from this driver."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from connect.connections.selectors import missing_scopes
from connect.messages import AuthorizationOutcome, StateEvidence
from connect.models import AuthorizationRequest, Connection
from connect.scopes import PermissionScope
from connect.status.states import AuthorizationPurpose

_ASKING = (AuthorizationPurpose.CONNECT, AuthorizationPurpose.PERMISSIONS)


@dataclass(frozen=True, slots=True)
class MissingPermissions:
    """What the fleet requests and the driver didn't grant. Falsy if there is nothing."""

    declined: list[PermissionScope]
    unasked: list[PermissionScope]

    def __bool__(self) -> bool:
        return bool(self.declined or self.unasked)


def missing_permissions(*, connection: Connection, requested: Iterable[str]) -> MissingPermissions:
    """Returns the permissions of `requested` that the driver didn't grant. Up to three queries."""
    missing = missing_scopes(connection=connection, requested=requested)
    asked = _asked(connection) if missing else frozenset()
    return MissingPermissions(
        declined=[scope for scope in missing if scope.name in asked],
        unasked=[scope for scope in missing if scope.name not in asked],
    )


def _asked(connection: Connection) -> frozenset[str]:
    """Returns the names of the permissions that this driver was asked for in Connect and answered about."""
    transitions = connection.transitions.filter(evidence_code=StateEvidence.AUTHORIZATION)
    numbers = [params.get("number") for params in transitions.values_list("evidence_params", flat=True)]
    of_connection = (
        Q(connection=connection)
        | Q(outcome_params__connections__contains=[connection.pk])
        # Authorizations before their outcome named the connections.
        | Q(pk__in=[number for number in numbers if isinstance(number, int)])
    )
    requests = AuthorizationRequest.objects.filter(
        of_connection,
        fleet=connection.fleet_id,
        purpose__in=_ASKING,
        outcome_code=AuthorizationOutcome.CONNECTED,
    )
    return frozenset(name for scopes in requests.values_list("scopes", flat=True) for name in scopes)
