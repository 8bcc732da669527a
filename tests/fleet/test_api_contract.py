"""The API keeps to its own description, whatever it is asked: schemathesis makes up the questions.

Every check is on: no 5xx, only the documented statuses, types and shapes, no access without a token, nothing accepted
that the description rules out.
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

# What schemathesis asks for most, so that its questions reach something.
FLEET = CAR = "0"
COMMAND = 0
SIGNALS = [catalogue.STATE_OF_CHARGE, catalogue.PRECISE_LOCATION, catalogue.TIRES]
SLUG = re.compile(r"[-a-zA-Z0-9_]+")
SHORT = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def one_transaction() -> Iterator[None]:
    """Requests leave the test's database connection open, as Django's own test client has it."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def token(owner: User, vehicle: Vehicle, monkeypatch: pytest.MonkeyPatch, one_transaction: None) -> str:
    """A token of an owner whose fleet has a car that takes commands, signals, history, messages and a command."""
    for throttle in (ReadThrottle, CommandThrottle):
        monkeypatch.setattr(throttle, "rate", "1000000/minute", raising=False)
    vehicle.smartcar_id, vehicle.powertrain = CAR, "BEV"
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


# As the application itself tells it; that takes no database.
schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())


@schema.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """About half of the cars, signals and commands exist."""
    for name, known in (("smartcar_id", CAR), ("code", SIGNALS[0].code)):
        made_up = (path_parameters or {}).get(name)
        if path_parameters and isinstance(made_up, str) and SLUG.fullmatch(made_up) and len(made_up) % 2:
            path_parameters[name] = known
    number = (path_parameters or {}).get("command_id")
    if path_parameters and isinstance(number, int) and number % 2:
        path_parameters["command_id"] = COMMAND
    return path_parameters


def validate(case: Any, token: str) -> None:
    # That `from` has to be before `to`, and the other way round for the times of a schedule, or that an unlock needs a
    # header that others do not, is nothing that a description can say.
    told = case.operation.definition.raw.get("operationId")
    together = [positive_data_acceptance] if told in ("signal_history", "send_command") else []
    # Its transport for Django does not unpack.
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    case.call_and_validate(headers=headers, excluded_checks=together)
    Command.objects.filter(state__in=UNDELIVERED).update(state=CommandState.CONFIRMED)


@schema.parametrize()
@SHORT
def test_whatever_is_asked_is_answered_as_described(case: Any, token: str) -> None:
    validate(case, token)


@pytest.mark.slow
@schema.parametrize()
@LONG
def test_a_thousand_questions_are_answered_as_described(case: Any, token: str) -> None:
    validate(case, token)
