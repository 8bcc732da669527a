"""The API conforms to its OpenAPI schema for requests that schemathesis generates.

Every check is enabled: no 5xx, only documented statuses, types and shapes, no access without a token, and no invalid
request accepted.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from accounts.api.throttles import CommandThrottle, ReadThrottle
from accounts.models import Membership, User
from accounts.tokens.services import issue_token
from commands.models import UNDELIVERED, Command, CommandState
from commands.types import CommandType
from connect.models import Connection, ConnectionState
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from webhooks.models import EntryState, InboxEntry

# The values that requests use most often, so that they reach existing data.
FLEET = VEHICLE = "0"
COMMAND = 0
SIGNALS = [catalogue.STATE_OF_CHARGE, catalogue.PRECISE_LOCATION, catalogue.TIRES]
SLUG = re.compile(r"[-a-zA-Z0-9_]+")
SHORT = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def one_transaction() -> Iterator[None]:
    """Keep the test's database connection open after requests, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def token(owner: User, vehicle: Vehicle, monkeypatch: pytest.MonkeyPatch, one_transaction: None) -> str:
    """A token of an owner whose fleet has a vehicle with signals, history, deliveries and commands."""
    for throttle in (ReadThrottle, CommandThrottle):
        monkeypatch.setattr(throttle, "rate", "1000000/minute", raising=False)
    vehicle.smartcar_id, vehicle.powertrain = VEHICLE, "BEV"
    vehicle.save()
    vehicle.fleet.slug = FLEET
    vehicle.fleet.save()
    now = timezone.now()
    for signal, body in zip(
        SIGNALS,
        [{"value": 61}, {"latitude": 1.5, "longitude": 2.5}, {"values": [], "unit": "kPa"}],
        strict=True,
    ):
        LatestSignal.objects.create(
            vehicle=vehicle, code=signal.code, body=body, status="SUCCESS", observed_at=now, reported_at=now
        )
    LatestSignal.objects.create(
        vehicle=vehicle, code="odd-one", status="ERROR", error_type="PERMISSION", reported_at=now
    )
    Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
    Command.objects.create(
        pk=COMMAND,
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind=CommandType.LOCK,
        api_version="v3",
        state=CommandState.WAITING,
        requested_at=now,
        expires_at=now,
    )
    for state in EntryState.values:
        InboxEntry.objects.create(
            received_at=timezone.now(), body=b"{}", state=state, smartcar_vehicle_id=vehicle.smartcar_id
        )
    membership = Membership.objects.select_related("user", "fleet").get(user=owner)
    return issue_token(membership=membership, name="Contract", may_command=True).secret


# The schema as the application generates it, which needs no database.
schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())


@schema.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Make about half of the vehicles, signals and commands exist."""
    for name, existing in (("smartcar_id", VEHICLE), ("code", SIGNALS[0].code)):
        generated = (path_parameters or {}).get(name)
        if (
            path_parameters
            and isinstance(generated, str)
            and SLUG.fullmatch(generated)
            and len(generated) % 2
        ):
            path_parameters[name] = existing
    number = (path_parameters or {}).get("command_id")
    if path_parameters and isinstance(number, int) and number % 2:
        path_parameters["command_id"] = COMMAND
    return path_parameters


def validate(case: Any, token: str) -> None:
    # A schema can't express that `from` must be before `to`, that the two times of a schedule must differ, or that an
    # unlock needs a header that other commands don't.
    operation = case.operation.definition.raw.get("operationId")
    excluded = [positive_data_acceptance] if operation in ("signal_history", "send_command") else []
    # Schemathesis's transport for Django doesn't decompress responses.
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    case.call_and_validate(headers=headers, excluded_checks=excluded)
    Command.objects.filter(state__in=UNDELIVERED).update(state=CommandState.CONFIRMED)


@schema.parametrize()
@SHORT
def test_responses_conform_to_the_schema(case: Any, token: str) -> None:
    validate(case, token)


@pytest.mark.slow
@schema.parametrize()
@LONG
def test_responses_to_a_thousand_requests_conform_to_the_schema(case: Any, token: str) -> None:
    validate(case, token)
