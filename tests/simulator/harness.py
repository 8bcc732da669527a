"""A simulator inside the test's own process, with a client and a callback that receives its deliveries.

Nothing runs by itself: `settle` advances the simulation to its clock, `later` moves the clock first.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import orjson
from starlette.testclient import TestClient

from simulator.app import create_app
from simulator.settings import Credentials, Settings
from simulator.simulation import Simulation, create_simulation

CALLBACK = "http://callback.test/hook"
REDIRECT = "http://localhost:8000/back"
CREDENTIALS = Credentials(
    application_id="11111111-2222-4333-8444-555555555555",
    application_secret="application secret",
    client_id="client_test",
    client_secret="client secret",
    management_tokens=("first token", "second token"),
)
NIGHT = datetime(2026, 11, 4, 11, 0, tzinfo=UTC).timestamp()  # 3 AM in the simulator's city.
QUICK: dict[str, Any] = {
    "credentials": CREDENTIALS,
    "vehicles": 40,
    "start": NIGHT,
    "command_latency": (0.0, 0.0),
    "request_bucket": 0,
    "vehicle_bucket": 0,
    "monthly_limit": 0,
    "public_origin": "http://testserver",
}


@dataclass
class Callback:
    """The application's webhook endpoint: answers VERIFY correctly, and returns `status` for everything else."""

    status: int = 200
    key: str = CREDENTIALS.management_tokens[0]
    handler: Callable[[httpx.Request], httpx.Response] | None = None
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        event = orjson.loads(request.content)
        if self.handler is not None:
            return self.handler(request)
        if event.get("eventType") == "VERIFY" or event.get("eventName") == "verify":
            challenge = (event.get("data") or event["payload"])["challenge"]
            return httpx.Response(200, json={"challenge": self.sign(challenge.encode())})
        self.requests.append(request)
        return httpx.Response(self.status)

    def sign(self, body: bytes) -> str:
        return hmac.new(self.key.encode(), body, hashlib.sha256).hexdigest()

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        found = [orjson.loads(each.content) for each in self.requests]
        return [each for each in found if kind in (None, each.get("eventType"))]

    def well_signed(self) -> list[bool]:
        return [each.headers["SC-Signature"] == self.sign(each.content) for each in self.requests]


class SimulatorHarness:
    """One simulator under test."""

    def __init__(self, client: TestClient, simulation: Simulation, callback: Callback) -> None:
        self.client = client
        self.simulation = simulation
        self.callback = callback

    # -- time ----------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Send what is due and wait for the responses."""
        self.simulation.feed.record_changes(self.simulation.fleet.advance(now=self.simulation.now()))
        self.simulation.poller.poll()
        while not self.simulation.feed.publish_due():
            self._portal(self.simulation.sender.settle)
        self._portal(self.simulation.sender.settle)

    def later(self, seconds: float) -> None:
        self.simulation.clock.advance(seconds)
        self.settle()

    def _portal(self, job: Callable[[], Any]) -> None:
        portal = self.client.portal
        assert portal is not None
        portal.call(job)

    # -- Connect and tokens --------------------------------------------------------------------------------

    def connect_url(self, path: str = "authorize", **parameters: str) -> str:
        fields = {
            "response_type": "code",
            "client_id": CREDENTIALS.application_id,
            "redirect_uri": REDIRECT,
        } | parameters
        return f"http://testserver/connect/oauth/{path}?{urlencode(fields)}"

    def grant(
        self, *, url: str | None = None, parameters: dict[str, str] | None = None, **body: Any
    ) -> dict[str, str]:
        """Grant through the control API, and return the parameters of the redirect."""
        address = url or self.connect_url(**(parameters or {}))
        response = self.client.post("/control/grants", json={"url": address} | body)
        assert response.status_code == 200, response.text
        return get_query(response.json()["redirect"])

    def exchange(self, code: str) -> dict[str, Any]:
        response = self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT)
        assert response.status_code == 200, response.text
        pair: dict[str, Any] = response.json()
        return pair

    def token(self, **fields: str) -> httpx.Response:
        credentials = (CREDENTIALS.application_id, CREDENTIALS.application_secret)
        response: httpx.Response = self.client.post("/auth/oauth/token", data=fields, auth=credentials)
        return response

    def application_token(self) -> str:
        fields = {
            "grant_type": "client_credentials",
            "client_id": CREDENTIALS.client_id,
            "client_secret": CREDENTIALS.client_secret,
        }
        response = self.client.post("/iam/oauth2/token", data=fields)
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])

    def driver(self, **body: Any) -> Driver:
        """Connect a driver with all permissions, and return the driver with tokens of both API versions."""
        back = self.grant(**body)
        pair = self.exchange(back["code"])
        connections = self.simulation.connections.select(user_id=back["user_id"])
        order = sorted(
            (each.vehicle_id for each in connections), key=list(self.simulation.fleet.vehicles).index
        )
        return Driver(
            self,
            back["user_id"],
            order,
            pair["access_token"],
            pair["refresh_token"],
            self.application_token(),
        )

    # -- webhooks ------------------------------------------------------------------------------------------

    def webhook(self, **body: Any) -> str:
        response = self.client.post("/control/webhooks", json={"callbackUri": CALLBACK} | body)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def inject_faults(self, **faults: Any) -> None:
        response = self.client.post("/control/troubles", json=faults)
        assert response.status_code == 200, response.text


@dataclass
class Driver:
    """A connected driver: user id, vehicle ids, and requests about the vehicles."""

    harness: SimulatorHarness
    user_id: str
    vehicle_ids: list[str]
    access_token: str
    refresh_token: str
    application_token: str

    @property
    def vehicle_id(self) -> str:
        return self.vehicle_ids[0]

    @property
    def v2(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    @property
    def v3(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.application_token}", "sc-user-id": self.user_id}

    def get(self, path: str = "", **options: Any) -> httpx.Response:
        """Send a v2 read of the first vehicle."""
        headers = self.v2 | options.pop("headers", {})
        url = f"/api/v2.0/vehicles/{self.vehicle_id}{path}"
        response: httpx.Response = self.harness.client.get(url, headers=headers, **options)
        return response

    def post(self, path: str, body: Any = None) -> httpx.Response:
        """Send a v2 POST about the first vehicle."""
        url = f"/api/v2.0/vehicles/{self.vehicle_id}{path}"
        response: httpx.Response = self.harness.client.post(url, headers=self.v2, json=body)
        return response

    def get3(self, path: str = "", **options: Any) -> httpx.Response:
        """Send a v3 read of the first vehicle."""
        headers = self.v3 | options.pop("headers", {})
        url = f"/vehicle/v3/vehicles/{self.vehicle_id}{path}"
        response: httpx.Response = self.harness.client.get(url, headers=headers, **options)
        return response

    def post3(self, path: str, attributes: dict[str, Any] | None = None) -> httpx.Response:
        """Send a v3 POST about the first vehicle."""
        body = None if attributes is None else {"data": {"attributes": attributes}}
        url = f"/vehicle/v3/vehicles/{self.vehicle_id}{path}"
        response: httpx.Response = self.harness.client.post(url, headers=self.v3, json=body)
        return response

    def patch(self, **state: Any) -> None:
        """Change the first vehicle's state."""
        response = self.harness.client.patch(f"/control/vehicles/{self.vehicle_id}", json=state)
        assert response.status_code == 200, response.text

    def subscribe(self, webhook_id: str) -> None:
        """Subscribe the first vehicle, and receive the first delivery."""
        response = self.post(f"/webhooks/{webhook_id}")
        assert response.status_code == 200, response.text
        self.harness.later(1.5)


def get_query(address: str) -> dict[str, str]:
    """Return the query parameters of an address."""
    return {
        key: values[0] for key, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items()
    }


def start_harness(**settings: Any) -> tuple[TestClient, Simulation, Callback]:
    """Return a client to a new simulator with these settings. Use the client as a context."""
    callback = Callback()
    simulation = create_simulation(Settings(**(QUICK | settings)), transport=httpx.MockTransport(callback))
    client = TestClient(create_app(simulation), follow_redirects=False, headers={"User-Agent": "test"})
    return client, simulation, callback
