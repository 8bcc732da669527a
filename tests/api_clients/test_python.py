"""A Python client that openapi-python-client generates from the description works on every operation."""

import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from commands.models import Command, CommandState
from tests.api_clients.conftest import LATITUDE, Site
from vehicles import catalogue

PACKAGE = "generated_client"


class GeneratedClient:
    """The generated package, and a client with the site's token."""

    def __init__(self, site: Site, package: ModuleType) -> None:
        self._site, self._package = site, package
        self._client = package.AuthenticatedClient(
            base_url=site.url, token=site.token, httpx_args={"trust_env": False}
        )
        self._operations = site.operations()

    def models(self, name: str) -> Any:
        """Returns a generated model."""
        return getattr(importlib.import_module(f"{PACKAGE}.models"), name)

    def function(self, operation_id: str) -> Callable[..., Any]:
        """Returns the generated function of an operation, called with the client."""
        tag = self._operations[operation_id]["tags"][0]
        module = importlib.import_module(f"{PACKAGE}.api.{tag}.{operation_id}")
        function: Callable[..., Any] = module.sync_detailed
        return function

    def call(self, operation_id: str, **arguments: Any) -> Any:
        """Calls the operation with the arguments that its path needs and these. Returns the detailed response."""
        function = self.function(operation_id)
        known = {
            "smartcar_id": self._site.vehicle_id,
            "code": catalogue.STATE_OF_CHARGE.code,
            "command_id": self._site.command_id,
            "delivery_id": self._site.delivery_id,
        }
        needed = {
            name: value for name, value in known.items() if name in inspect.signature(function).parameters
        }
        return function(client=self._client, **needed | arguments)


@pytest.fixture
def client(api_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GeneratedClient:
    description = tmp_path / "schema.json"
    description.write_text(json.dumps(api_site.description()))
    output = tmp_path / PACKAGE
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--fail-on-warning",
        "--meta",
        "none",
    ]
    config = tmp_path / "config.yml"
    config.write_text("post_hooks: []\n")  # formatting is of no use here
    command += ["--path", str(description), "--output-path", str(output), "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        monkeypatch.delitem(sys.modules, name)
    return GeneratedClient(api_site, importlib.import_module(PACKAGE))


@pytest.mark.django_db(transaction=True)
def test_every_operation_works_with_its_defaults(client: GeneratedClient, api_site: Site) -> None:
    simple = client.models("SimpleCommand")(kind=client.models("SimpleCommandKind").LOCK)
    bodies = {"send_command": {"body": simple, "idempotency_key": "first"}}
    # The vehicle's command in transit has to be canceled before another can be sent.
    operations = sorted(api_site.operations(), key=lambda each: each == "send_command")
    answers = {each: client.call(each, **bodies.get(each, {})) for each in operations}

    statuses = {each: answer.status_code.value for each, answer in answers.items()}
    assert statuses == {each: 201 if each == "send_command" else 200 for each in operations}
    assert all(answer.parsed is not None for answer in answers.values())
    assert all(answer.headers["X-Request-Id"] for answer in answers.values())
    assert all(int(answer.headers["RateLimit-Remaining"]) > 0 for answer in answers.values())
    sent = answers["send_command"]
    assert sent.headers["Location"].endswith(f"/api/v1/commands/{sent.parsed.id}/")


@pytest.mark.django_db(transaction=True)
def test_values_of_signals_have_their_types(client: GeneratedClient) -> None:
    signals = {each.code: each for each in client.call("vehicle_signals").parsed.signals}
    location = client.call("signal_history", code=catalogue.PRECISE_LOCATION.code).parsed.points[0].value
    doors = client.call("signal_history", code=catalogue.DOORS.code).parsed.points[0].value
    charge = client.call("signal_history", resolution=100).parsed

    assert isinstance(signals[catalogue.PRECISE_LOCATION.code].body, client.models("LocationBody"))
    assert isinstance(signals[catalogue.TIRES.code].body, client.models("TiresBody"))
    assert (signals[catalogue.STATE_OF_CHARGE.code].value, signals[catalogue.IS_LOCKED.code].value) == (
        61,
        True,
    )
    assert signals[catalogue.STATE_OF_CHARGE.code].error is None
    assert (type(location), location.latitude) == (client.models("LocationBody"), LATITUDE)
    assert isinstance(doors, client.models("OpeningsBody"))
    assert (doors.values[0].is_open, doors.values[0].is_locked) == (True, None)
    assert (charge.resolution, charge.points[0].value) == (100, 61)


@pytest.mark.django_db(transaction=True)
def test_every_form_of_a_command_is_accepted(client: GeneratedClient) -> None:
    model = client.models
    place = {"latitude": 48.1, "longitude": 11.5}
    bodies = [
        model("SimpleCommand")(kind=each) for each in model("SimpleCommandKind")
    ] + [
        model("UnlockCommand").from_dict({"kind": "unlock", "when_awake": False}),
        model("SetChargeLimitCommand").from_dict({"kind": "set_charge_limit", "parameters": {"percent": 80}}),
        model("SetDestinationCommand").from_dict({"kind": "set_destination", "parameters": place}),
        model("SetChargeScheduleCommand").from_dict(
            {
                "kind": "set_charge_schedule",
                "parameters": {**place, "type": "daily", "windows": {"every_day": ["22:00", "06:00"]}},
            }
        ),
        model("DeleteChargeScheduleCommand").from_dict(
            {"kind": "delete_charge_schedule", "parameters": {"schedule_id": "s-1"}}
        ),
    ]  # fmt: skip
    kinds = []
    for number, body in enumerate(bodies):
        Command.objects.update(state=CommandState.CONFIRMED)
        answer = client.call("send_command", body=body, idempotency_key=f"form-{number}")
        assert answer.status_code == 201, answer.content
        kinds.append(answer.parsed.kind.value)
    assert sorted(kinds) == sorted(each.value for each in model("CommandKindEnum"))


@pytest.mark.django_db(transaction=True)
def test_errors_and_unchanged_responses_are_described(client: GeneratedClient) -> None:
    first = client.call("vehicle")
    unchanged = client.call("vehicle", if_none_match=first.headers["ETag"])
    missing = client.call("vehicle", smartcar_id="nothing")

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert (missing.status_code, missing.parsed.code) == (404, "not_found")
