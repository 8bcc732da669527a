"""Authorizations of existing connections: signing in again, granting more permissions, selecting the battery size."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import SmartcarApiVersion
from connect import applications, gateway, oauth_errors, token_store
from connect.messages import StateEvidence, StateReason
from connect.models import AuthorizationRequest, Connection, ConnectionState
from connect.oauth_errors import AuthorizationFailedError
from connect.status.states import DEGRADED, HEALTHY, TERMINATED, AuthorizationPurpose
from core.signed_links import hash_token
from core.task_queue import enqueue_on_commit
from smartcar_api import SmartcarError, V2Api
from smartcar_api.reauth_urls import battery_url, reauthenticate_url

_BATTERY_PATH = "/battery/nominal_capacity"


def effective_purpose(*, connection: Connection, purpose: str) -> str:
    """Returns the actual purpose: signing in again requires a full authorization if no grant is left."""
    ended = connection.state in TERMINATED
    if connection.api_version == SmartcarApiVersion.V2:
        pair = connection.tokens
        # Signing in again issues no new tokens ("Re-authentication").
        ended = ended or pair is None or pair.revoked_at is not None
    if purpose == AuthorizationPurpose.SIGN_IN and ended:
        return AuthorizationPurpose.CONNECT
    return purpose


def proves_driver(*, purpose: str, connections: Iterable[Connection]) -> bool:
    """Returns whether Smartcar confirmed which driver completed an authorization with this purpose.

    The redirects after choosing a battery size, and on v2 after signing in again, can be made up: they contain nothing
    that Smartcar confirms.
    """
    if purpose == AuthorizationPurpose.SIGN_IN:
        return all(each.api_version == SmartcarApiVersion.V3 for each in connections)
    return purpose != AuthorizationPurpose.BATTERY


def reauth_url(
    *, request: AuthorizationRequest, connection: Connection, state: str, redirect_uri: str
) -> str:
    """Returns the URL where the driver signs in again or selects the battery size."""
    known = {
        "origin": settings.SMARTCAR_ORIGINS["connect"],
        "application_id": applications.for_connection(connection).credentials.application_id,
        "vehicle_id": connection.vehicle.smartcar_id,
        "redirect_uri": redirect_uri,
    }
    if request.purpose == AuthorizationPurpose.BATTERY:
        return battery_url(**known, given=_capacity_url(connection))
    return reauthenticate_url(
        **known, state=state, external_id=request.external_id, partial=connection.resolution_url
    )


def _capacity_url(connection: Connection) -> str:
    """v2: returns the URL that needs no new sign-in, or "" if there is none."""

    def read(api: Any, access: Any) -> Any:
        if not isinstance(api, V2Api):
            return {}
        return api.read(access, vehicle_id=connection.vehicle.smartcar_id, paths=(_BATTERY_PATH,)).body

    if connection.api_version != SmartcarApiVersion.V2:
        return ""
    try:
        body = gateway.call(connection=connection, purpose=gateway.CallPurpose.PERSON, request=read)
    except (SmartcarError, token_store.TokensUnavailableError):
        return ""
    for response in body.get("responses", []):
        content = response.get("body") if isinstance(response, dict) else None
        if isinstance(content, dict) and isinstance(content.get("url"), str):
            url: str = content["url"]
            return url
    return ""


@sensitive_variables()
def complete_reauth(*, request: AuthorizationRequest, params: Mapping[str, str]) -> Connection:
    """Completes a renewed sign-in. Raises AuthorizationFailedError; in that case nothing was changed."""
    connection = _connection(request)
    if params.get("vehicle_id") != connection.vehicle.smartcar_id:
        raise AuthorizationFailedError(oauth_errors.UNCONFIRMED_SIGN_IN)
    if connection.api_version == SmartcarApiVersion.V3 and not _confirmed(request, connection):
        raise AuthorizationFailedError(oauth_errors.UNCONFIRMED_SIGN_IN)
    with transaction.atomic():
        _spend_invitation(request)
        if connection.state not in (*HEALTHY, *TERMINATED):
            connection.move_to(
                ConnectionState.PENDING,
                reason=StateReason.REAUTHENTICATED.message(),
                now=timezone.now(),
                evidence=StateEvidence.AUTHORIZATION.message(number=request.pk),
            )
        Connection.objects.filter(pk=connection.pk).update(resolution_url="")
        _log(request, connection, AuditEvent.CONNECTION_REAUTHENTICATED)
        enqueue_on_commit("connect.tasks.probe_connection", connection.pk)
        for connection_id in _same_account(connection):
            enqueue_on_commit("connect.tasks.probe_connection", connection_id)
    return connection


def _same_account(connection: Connection) -> list[int]:
    """Returns the driver's other connections that may work again, because the sign-in was to the same account."""
    degraded = Connection.objects.filter(
        fleet_id=connection.fleet_id,
        smartcar_user_id=connection.smartcar_user_id,
        application_id=connection.application_id,
        vehicle__make=connection.vehicle.make,
        state__in=DEGRADED,
    )
    found = degraded.exclude(pk=connection.pk).exclude(state__in=TERMINATED).order_by("pk")
    return list(found.values_list("pk", flat=True))


def _confirmed(request: AuthorizationRequest, connection: Connection) -> bool:
    """v3: returns whether Smartcar's list has this authorization's external ID for this vehicle and driver."""
    application = applications.for_connection(connection)
    try:
        access = token_store.application_access(application=application, user_id=connection.smartcar_user_id)
        shared = application.v3.shared_vehicles(access, mode=connection.mode)
    except SmartcarError as error:
        raise AuthorizationFailedError(oauth_errors.UNREACHABLE) from error
    return any(
        (vehicle.vehicle_id, vehicle.user_id, vehicle.external_id)
        == (connection.vehicle.smartcar_id, connection.smartcar_user_id, request.external_id)
        for vehicle in shared
    )


def battery_requests(*, params: Mapping[str, str], session_secret: str, used: bool = False) -> Q:
    """Returns the filter for battery authorizations of this session and vehicle; their callback has no state."""
    if not session_secret or not params.get("vehicle_id"):
        return Q(pk__in=[])
    return Q(
        purpose=AuthorizationPurpose.BATTERY,
        session_hash=hash_token(session_secret),
        used_at__isnull=not used,
        connection__vehicle__smartcar_id=params["vehicle_id"],
    )


def complete_battery_selection(*, request: AuthorizationRequest, params: Mapping[str, str]) -> Connection:
    """Completes the selection of a battery size. The vehicle reports the size by itself.

    Raises AuthorizationFailedError if no size was selected.
    """
    if params.get("reason") != "battery_capacity":
        raise AuthorizationFailedError(oauth_errors.error_for(error="battery_capacity_no_selection"))
    connection = _connection(request)
    with transaction.atomic():
        _spend_invitation(request)
        _log(request, connection, AuditEvent.CONNECTION_BATTERY_SELECTED)
        enqueue_on_commit("connect.tasks.probe_connection", connection.pk)
    return connection


def _connection(request: AuthorizationRequest) -> Connection:
    found = Connection.objects.select_related("vehicle", "fleet", "tokens", "application")
    return found.get(trips=request)


def _spend_invitation(request: AuthorizationRequest) -> None:
    if request.invitation is not None and not request.invitation.use(now=timezone.now()):
        raise AuthorizationFailedError(oauth_errors.INVITATION_OVER)


def _log(request: AuthorizationRequest, connection: Connection, event: AuditEvent) -> None:
    log_event(
        fleet=request.fleet,
        actor=request.started_by,
        event=event,
        about=(AuditObject.VEHICLE, connection.vehicle.smartcar_id),
        data={"by_driver": request.invitation is not None},
    )
