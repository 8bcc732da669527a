"""Authorizations in Smartcar Connect: OAuth state that is valid once, in one browser session, for an hour.

Signed-in members and invited drivers without an account share the same flow.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications, oauth_errors, reauthorization, token_store
from connect.messages import NO_PROBLEM, AuthorizationOutcome, StateEvidence
from connect.models import AuthorizationRequest, Connection, ConnectionState, Invitation, UserToken
from connect.oauth_errors import AuthorizationFailedError, ConnectError
from connect.permission_settings.selectors import requested_scopes
from connect.refusals import services as refusals
from connect.scopes import in_order
from connect.status.states import AuthorizationPurpose
from connect.v2 import user_tokens
from core.message_codes import Message
from core.signed_links import hash_token
from core.task_queue import enqueue_on_commit
from smartcar_api import Access, ConnectRequest, SharedVehicle, SmartcarError
from vehicles import services as vehicle_services
from vehicles.observations import VehicleFacts


def redirect_uri() -> str:
    """Returns the callback URL, which must be registered in Smartcar's dashboard."""
    return f"{settings.SITE_URL}/connect/callback/"


def start(*, fleet: Fleet, user: User, session_secret: str, make: str = "", country: str = "") -> str:
    """Returns the Connect URL for a member's new authorization, valid for one callback in this browser session."""
    request = AuthorizationRequest(
        fleet=fleet,
        started_by=user,
        mode=settings.SMARTCAR_MODE,
        scopes=list(requested_scopes(fleet=fleet)),
    )
    return _authorize_url(request, session_secret=session_secret, make=make, country=country)


def start_for_connection(*, connection: Connection, purpose: str, user: User, session_secret: str) -> str:
    """Returns the Connect URL for a member's authorization of an existing connection (connect.reauthorization)."""
    request = AuthorizationRequest(
        fleet=connection.fleet,
        started_by=user,
        connection=connection,
        purpose=reauthorization.effective_purpose(connection=connection, purpose=purpose),
        mode=connection.mode,
        scopes=in_order({*requested_scopes(fleet=connection.fleet), *connection.scopes}),
    )
    return _authorize_url(
        request, session_secret=session_secret, make=connection.vehicle.make, single_select=True
    )


def start_for_invitation(*, invitation: Invitation, session_secret: str) -> str:
    """Returns the Connect URL for an invited driver's new authorization, with the manager's choices.

    Raises AuthorizationFailedError if the invitation is not open.
    """
    if not invitation.open:
        raise AuthorizationFailedError(oauth_errors.INVITATION_OVER, invitation)
    request = AuthorizationRequest(
        fleet=invitation.fleet, invitation=invitation, mode=invitation.mode, scopes=invitation.scopes
    )
    if invitation.connection is not None:
        request.connection = invitation.connection
        request.purpose = reauthorization.effective_purpose(
            connection=invitation.connection, purpose=invitation.purpose
        )
    return _authorize_url(
        request,
        session_secret=session_secret,
        make=invitation.make,
        country=invitation.country,
        single_select=invitation.single_select,
        single_select_vin=invitation.vin,
        required=invitation.required_scopes,
    )


def _authorize_url(
    request: AuthorizationRequest,
    *,
    session_secret: str,
    make: str,
    country: str = "",
    single_select: bool = False,
    single_select_vin: str = "",
    required: Iterable[str] = (),
) -> str:
    state = secrets.token_urlsafe(32)
    application = applications.for_fleet(request.fleet)
    request.application, request.api_version = application.row, request.fleet.api_version
    request.state_hash, request.session_hash = hash_token(state), hash_token(session_secret)
    request.external_id = f"{request.fleet.slug}-{secrets.token_hex(8)}"[:64]
    request.save()
    if request.connection is not None and request.purpose in (
        AuthorizationPurpose.SIGN_IN,
        AuthorizationPurpose.BATTERY,
    ):
        return reauthorization.reauth_url(
            request=request, connection=request.connection, state=state, redirect_uri=redirect_uri()
        )
    return application.api(request.api_version).connect_url(
        ConnectRequest(
            redirect_uri=redirect_uri(),
            state=state,
            external_id=request.external_id,
            scopes=tuple(request.scopes),
            required=frozenset(required),
            mode=request.mode,
            make=make,
            country=country,
            single_select=single_select,
            single_select_vin=single_select_vin,
            # Fleets share the application: a driver who granted one of them access still has to grant it to the next.
            force_prompt=True,
        )
    )


@dataclass(frozen=True, slots=True)
class CallbackResult:
    """A successful authorization. `about` is the existing connection that it was started for."""

    fleet: Fleet
    connections: list[Connection]
    invitation: Invitation | None
    purpose: str = AuthorizationPurpose.CONNECT
    about: Connection | None = None

    @property
    def proves_driver(self) -> bool:
        """Whether Smartcar confirmed which driver completed it (connect.reauthorization)."""
        return reauthorization.proves_driver(purpose=self.purpose, connections=self.connections)

    @property
    def target_missing(self) -> bool:
        """Whether the connection it was started for is not included: another vehicle or account was chosen."""
        return self.about is not None and self.about not in self.connections


@sensitive_variables()
def handle_callback(*, params: Mapping[str, str], user: User | None, session_secret: str) -> CallbackResult:
    """Handles the callback from Connect: consumes the state, fetches the shared vehicles and connects them.

    A member's authorization is accepted only from that member; an invited driver's needs no `user`.
    Raises AuthorizationFailedError with the text for the user; in that case nothing was connected.
    """
    request = _consume_state(params=params, user=user, session_secret=session_secret)
    try:
        result = _process_callback(request=request, params=params)
    except AuthorizationFailedError as failure:
        _store_outcome(request, failure.error.message)
        failure.invitation, failure.authorization = request.invitation, request
        raise
    ids = [connection.pk for connection in result.connections]
    _store_outcome(request, AuthorizationOutcome.CONNECTED.message(count=len(ids), connections=ids))
    return result


def _consume_state(
    *, params: Mapping[str, str], user: User | None, session_secret: str
) -> AuthorizationRequest:
    state = params.get("state", "")
    permitted = (
        Q(invitation__isnull=False) if user is None else Q(invitation__isnull=False) | Q(started_by=user)
    )
    if state:
        matching = Q(state_hash=hash_token(state), session_hash=hash_token(session_secret))
    else:
        matching = reauthorization.battery_requests(params=params, session_secret=session_secret)
    found = AuthorizationRequest.objects.select_related("fleet", "started_by", "invitation", "application")
    request = found.filter(permitted, matching).first()
    if request is None or not request.use(now=timezone.now()):
        raise AuthorizationFailedError(oauth_errors.UNKNOWN_STATE)
    return request


def _process_callback(*, request: AuthorizationRequest, params: Mapping[str, str]) -> CallbackResult:
    if request.invitation is not None and not request.invitation.open:
        raise AuthorizationFailedError(_refuse(request=request, params=params))
    if params.get("error"):
        raise AuthorizationFailedError(oauth_errors.error_for(error=params["error"], params=params))
    if request.purpose == AuthorizationPurpose.SIGN_IN:
        return _callback_result(request, [reauthorization.complete_reauth(request=request, params=params)])
    if request.purpose == AuthorizationPurpose.BATTERY:
        return _callback_result(
            request, [reauthorization.complete_battery_selection(request=request, params=params)]
        )
    try:
        tokens, shared = _fetch_shared_vehicles(request=request, params=params)
    except SmartcarError as error:
        credentials_rejected = error.unauthorized or error.type in ("invalid_client", "unauthorized_client")
        raise AuthorizationFailedError(
            oauth_errors.CREDENTIALS if credentials_rejected else oauth_errors.UNREACHABLE
        ) from error
    if not shared:
        raise AuthorizationFailedError(oauth_errors.NOTHING_SHARED)
    try:
        connections = _connect_all(request=request, tokens=tokens, shared=shared)
    except AuthorizationFailedError:
        refusals.record(request=request, tokens=tokens, shared=shared)
        raise AuthorizationFailedError(oauth_errors.GRANT_REFUSED) from None
    return _callback_result(request, connections)


@sensitive_variables()
def _refuse(*, request: AuthorizationRequest, params: Mapping[str, str]) -> ConnectError:
    """Has the access that a driver granted after the end of the invitation revoked. Returns the error to show.

    An existing connection that was only signed in again remains.
    """
    if params.get("error") or request.purpose in (AuthorizationPurpose.SIGN_IN, AuthorizationPurpose.BATTERY):
        return oauth_errors.INVITATION_OVER
    try:
        tokens, shared = _fetch_shared_vehicles(request=request, params=params)
    except (SmartcarError, AuthorizationFailedError):
        return oauth_errors.INVITATION_OVER
    refused = refusals.record(request=request, tokens=tokens, shared=shared)
    return oauth_errors.GRANT_REFUSED if refused else oauth_errors.INVITATION_OVER


def _callback_result(request: AuthorizationRequest, connections: list[Connection]) -> CallbackResult:
    return CallbackResult(request.fleet, connections, request.invitation, request.purpose, request.connection)


@sensitive_variables()
def _fetch_shared_vehicles(
    *, request: AuthorizationRequest, params: Mapping[str, str]
) -> tuple[UserToken | None, list[SharedVehicle]]:
    if request.api_version == SmartcarApiVersion.V2:
        return _exchange(request=request, code=params.get("code", ""))
    return None, _confirm_user(request=request, user_id=params.get("user_id") or params.get("userId", ""))


@sensitive_variables()
def _exchange(*, request: AuthorizationRequest, code: str) -> tuple[UserToken, list[SharedVehicle]]:
    """v2: exchanges the code for a token pair, and fetches the user and vehicles that the pair gives access to."""
    if not code:
        raise AuthorizationFailedError(oauth_errors.INCOMPLETE)
    api = applications.for_authorization(request).v2
    pair = api.exchange_code(code=code, redirect_uri=redirect_uri())
    user_id = api.user_id(pair.access_token)
    # Stored immediately: the code is used up, and the pair can't be issued again.
    tokens = user_tokens.store(user_id=user_id, pair=pair, application=request.application)
    shared = api.shared_vehicles(Access(token=pair.access_token, user_id=user_id), mode=request.mode)
    return tokens, list(shared)


def _confirm_user(*, request: AuthorizationRequest, user_id: str) -> list[SharedVehicle]:
    """v3: returns the user's vehicles, if Smartcar's list has our external ID for the user ID that the redirect claims.

    Vehicles that the user shares with another fleet of this site are left out, unless this authorization updated them.
    """
    if not user_id:
        raise AuthorizationFailedError(oauth_errors.INCOMPLETE)
    application = applications.for_authorization(request)
    access = token_store.application_access(application=application, user_id=user_id)
    listed = [
        vehicle
        for vehicle in application.v3.shared_vehicles(access, mode=request.mode)
        if vehicle.user_id == user_id and vehicle.external_id == request.external_id
    ]
    if not listed:
        raise AuthorizationFailedError(oauth_errors.UNCONFIRMED_USER)
    elsewhere = set(
        Connection.objects.filter(smartcar_user_id=user_id, application=request.application)
        .exclude(fleet=request.fleet)
        .exclude(state=ConnectionState.REMOVED)
        .values_list("vehicle__smartcar_id", flat=True)
    )
    updated = updated_within(listed, duration=timezone.now() - request.created_at)
    return [each for each in listed if each.vehicle_id not in elsewhere or each.vehicle_id in updated]


def updated_within(listed: Iterable[SharedVehicle], *, duration: timedelta) -> frozenset[str]:
    """Returns the IDs of the vehicles that were granted in an authorization of this duration, which has just ended.

    It granted at least the vehicle that was updated last. The others are compared with that one and not with our
    clock, from which Smartcar's may differ.
    """
    times = {each.vehicle_id: each.updated_at for each in listed if each.updated_at is not None}
    if not times:
        return frozenset()
    begun = max(times.values()) - duration
    return frozenset(vehicle_id for vehicle_id, updated_at in times.items() if updated_at >= begun)


@transaction.atomic
def _connect_all(
    *, request: AuthorizationRequest, tokens: UserToken | None, shared: list[SharedVehicle]
) -> list[Connection]:
    # Of two authorizations that end at the same time, only the first may use the invitation.
    if request.invitation is not None and not request.invitation.use(now=timezone.now()):
        raise AuthorizationFailedError(oauth_errors.INVITATION_OVER)
    connections = [_connect(request=request, tokens=tokens, shared=each) for each in shared]
    for connection in connections:
        enqueue_on_commit("connect.tasks.complete_connection", connection.pk)
    return connections


def _connect(*, request: AuthorizationRequest, tokens: UserToken | None, shared: SharedVehicle) -> Connection:
    facts = VehicleFacts(
        smartcar_id=shared.vehicle_id,
        user_id=shared.user_id,
        external_id=shared.external_id,
        make=shared.make,
        model=shared.model,
        year=shared.year,
        mode=_mode(shared.mode or request.mode),
        powertrain=shared.powertrain,
    )
    vehicle = vehicle_services.upsert_vehicle(fleet=request.fleet, facts=facts)
    connection, new = Connection.objects.update_or_create(
        vehicle=vehicle,
        smartcar_user_id=shared.user_id,
        application=request.application,
        defaults={
            "fleet": request.fleet,
            "smartcar_connection_id": shared.connection_id,
            "api_version": request.api_version,
            "mode": facts.mode,
            "scopes": sorted(shared.permissions),
            "tokens": tokens,
            "subscribed_at": None,
            **NO_PROBLEM.columns("subscription_error"),
            "next_subscription_try_at": None,
        },
    )
    connection.connected(evidence=StateEvidence.AUTHORIZATION.message(number=request.pk), new=new)
    log_event(
        fleet=request.fleet,
        actor=request.started_by,
        event=AuditEvent.VEHICLE_CONNECTED,
        about=(AuditObject.VEHICLE, vehicle.smartcar_id),
        data={"by_driver": request.invitation is not None},
    )
    return connection


def _mode(text: str) -> Literal["live", "simulated", ""]:
    if text == "live":
        return "live"
    return "simulated" if text == "simulated" else ""


def _store_outcome(request: AuthorizationRequest, outcome: Message) -> None:
    AuthorizationRequest.objects.filter(pk=request.pk).update(
        outcome_code=outcome.code, outcome_params=outcome.params
    )
