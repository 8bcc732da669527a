"""Records grants of refused authorizations, and ends them at Smartcar."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.models import SmartcarApiVersion
from connect import applications, gateway, token_store
from connect.gateway import CallPurpose
from connect.messages import NO_PROBLEM, AuthorizationOutcome, Problem
from connect.models import (
    AuthorizationRequest,
    Connection,
    ConnectionState,
    RefusedGrant,
    SmartcarApplication,
    UserToken,
)
from connect.reconciliation.diff import Remote
from connect.v2 import user_tokens
from core.task_queue import enqueue_on_commit
from smartcar_api import Disconnected, SharedVehicle, SmartcarError

_SOON, _LATEST = timedelta(seconds=30), timedelta(hours=6)
_BATCH = 50
# How much Smartcar's clock may differ from ours.
_CLOCKS = timedelta(minutes=5)


@transaction.atomic
def record(
    *, request: AuthorizationRequest, tokens: UserToken | None, shared: Iterable[SharedVehicle]
) -> bool:
    """Records the grants that are to be ended. Returns whether there are any.

    A grant that a connection of this site uses, for example because the driver finished twice, isn't ended.
    """
    grants = [
        RefusedGrant(
            authorization=request,
            tokens=tokens,
            smartcar_user_id=vehicle.user_id,
            smartcar_vehicle_id=vehicle.vehicle_id,
            smartcar_connection_id=vehicle.connection_id,
        )
        for vehicle in shared
        if not _used(request, user_id=vehicle.user_id, vehicle_id=vehicle.vehicle_id)
    ]
    RefusedGrant.objects.bulk_create(grants, ignore_conflicts=True)
    if grants:
        enqueue_on_commit("connect.tasks.end_refused_grants")
    return bool(grants)


def end_due(*, now: datetime) -> None:
    """Ends the grants whose first or next attempt is due."""
    due = RefusedGrant.objects.filter(ended_at=None, next_try_at__lte=now)
    for grant in due.select_related("authorization__application", "tokens").order_by("pk")[:_BATCH]:
        # Whoever moves the time of the next attempt makes this one.
        mine = RefusedGrant.objects.filter(pk=grant.pk, attempts=grant.attempts, ended_at=None)
        wait = min(_SOON * 2 ** min(grant.attempts, 12), _LATEST)
        if mine.update(attempts=F("attempts") + 1, next_try_at=now + wait):
            end(grant=grant)


def end(*, grant: RefusedGrant) -> SmartcarError | token_store.TokensUnavailableError | None:
    """Ends one grant at Smartcar, and stores the result. Returns the error if that failed."""
    row, request_id = RefusedGrant.objects.filter(pk=grant.pk), ""
    # Otherwise the driver has connected the vehicle since, by another invitation.
    if not _used(grant.authorization, user_id=grant.smartcar_user_id, vehicle_id=grant.smartcar_vehicle_id):
        try:
            request_id = _disconnect(grant).request_id
        except (SmartcarError, token_store.TokensUnavailableError) as error:
            row.update(**Problem.from_error(error).columns("problem"))
            return error
    row.update(ended_at=timezone.now(), request_id=request_id[:80], **NO_PROBLEM.columns("problem"))
    _delete_unused_tokens(grant)
    return None


def find_grant(*, application: SmartcarApplication | None, listed: Remote | None) -> RefusedGrant | None:
    """Returns the refused grant that an entry of Smartcar's list is about, or None.

    The entry of an authorization that was refused before its vehicles could be fetched is recorded here. A grant that
    was changed at Smartcar later than it was refused is another one.
    """
    if listed is None:
        return None
    grants = RefusedGrant.objects.select_related("authorization__application", "tokens")
    grants = grants.filter(authorization__application=application)
    grant = grants.filter(smartcar_user_id=listed.user_id, smartcar_vehicle_id=listed.vehicle_id).first()
    if grant is not None:
        later = listed.since is not None and listed.since > grant.refused_at + _CLOCKS
        return None if later else grant
    refused = AuthorizationRequest.objects.filter(
        external_id=listed.external_id, outcome_code=AuthorizationOutcome.INVITATION_CLOSED.value
    )
    request = refused.filter(application=application).first() if listed.external_id else None
    if request is None:
        return None
    return RefusedGrant.objects.create(
        authorization=request,
        smartcar_user_id=listed.user_id,
        smartcar_vehicle_id=listed.vehicle_id,
        smartcar_connection_id=listed.connection_id,
    )


def _used(request: AuthorizationRequest, *, user_id: str, vehicle_id: str) -> bool:
    """Returns whether a connection of any fleet uses the grant: there is one per user, vehicle and application."""
    same = Connection.objects.filter(
        smartcar_user_id=user_id, vehicle__smartcar_id=vehicle_id, application=request.application_id
    )
    return same.exclude(state=ConnectionState.REMOVED).exists()


@sensitive_variables()
def _disconnect(grant: RefusedGrant) -> Disconnected:
    ids = {"vehicle_id": grant.smartcar_vehicle_id, "connection_id": grant.smartcar_connection_id}
    with gateway.purpose(CallPurpose.BACKGROUND), token_store.decryption_checked():
        application = applications.for_authorization(grant.authorization)
        if grant.authorization.api_version == SmartcarApiVersion.V2:
            access = user_tokens.access_with(tokens=grant.tokens, user_id=grant.smartcar_user_id)
            return application.v2.disconnect(access, **ids)
        access = token_store.application_access(application=application, user_id=grant.smartcar_user_id)
        try:
            return application.v3.disconnect(access, **ids)
        except SmartcarError as error:
            if error.unauthorized:
                token_store.discard_application_token(application=application)
            raise


def _delete_unused_tokens(grant: RefusedGrant) -> None:
    if grant.tokens_id is None:
        return
    waiting = RefusedGrant.objects.filter(tokens=grant.tokens_id, ended_at=None)
    if not waiting.exists() and not Connection.objects.filter(tokens=grant.tokens_id).exists():
        UserToken.objects.filter(pk=grant.tokens_id).delete()
