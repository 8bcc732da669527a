"""The simulator as a process: start, stop, restart, real sockets and load."""

import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from simulator.settings import from_command_line
from tests.servers import free_port
from tests.simulator.harness import get_query
from tests.simulator.process import (
    ENVIRONMENT,
    NIGHT,
    NO_LIMITS,
    PROJECT,
    RunningSimulator,
    simulator,
)

# Each test starts processes of its own.
pytestmark = pytest.mark.slow

REDIRECT = "http://localhost:9999/back"
KEY = "the management token"
BASIC = (ENVIRONMENT["SMARTCAR_APPLICATION_ID"], ENVIRONMENT["SMARTCAR_APPLICATION_SECRET"])


class Endpoint:
    """A webhook endpoint on a real socket."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.well_signed = True
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                response = endpoint.receive(body, self.headers.get("SC-Signature"))
                self.wfile.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(response), response)
                )

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def receive(self, body: bytes, signature: str | None) -> bytes:
        event = json.loads(body)
        if event["eventType"] == "VERIFY":
            return json.dumps({"challenge": _hmac(event["data"]["challenge"].encode())}).encode()
        self.well_signed = self.well_signed and signature == _hmac(body)
        self.events.append(event)
        return b"{}"

    def wait_for(self, count: int, *, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(self.events) >= count, f"{len(self.events)} of {count} events"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def _hmac(text: bytes) -> str:
    return hmac.new(KEY.encode(), text, hashlib.sha256).hexdigest()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    created = Endpoint()
    yield created
    created.close()


def connect(client: httpx.Client, **body: Any) -> dict[str, str]:
    """Grant everything, and return the redirect's parameters."""
    fields = {"response_type": "code", "client_id": BASIC[0], "redirect_uri": REDIRECT}
    url = f"{client.base_url}/connect/oauth/authorize?{urlencode(fields)}"
    response = client.post("/control/grants", json={"url": url} | body)
    assert response.status_code == 200, response.text
    return get_query(response.json()["redirect"])


def v2_pair(client: httpx.Client, code: str) -> dict[str, Any]:
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    pair: dict[str, Any] = client.post("/auth/oauth/token", data=fields, auth=BASIC).json()
    return pair


def v3_headers(client: httpx.Client, user_id: str) -> dict[str, str]:
    fields = {
        "grant_type": "client_credentials",
        "client_id": ENVIRONMENT["SMARTCAR_CLIENT_ID"],
        "client_secret": ENVIRONMENT["SMARTCAR_CLIENT_SECRET"],
    }
    token = client.post("/iam/oauth2/token", json=fields).json()["access_token"]
    return {"Authorization": f"Bearer {token}", "sc-user-id": user_id}


def first_vehicle(client: httpx.Client, headers: dict[str, str]) -> str:
    body = client.get("/vehicle/v3/connections", headers=headers).json()
    return str(body["data"][0]["relationships"]["vehicle"]["data"]["id"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_simulator_starts_quickly_and_stops_at_once(number: signal.Signals) -> None:
    with simulator() as started:
        assert started.seconds < 5
        start = time.monotonic()
        started.process.send_signal(number)
        assert started.process.wait(5) == 0
        assert time.monotonic() - start < 1.5


def test_a_busy_port_prints_one_clear_line() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        command = [sys.executable, "-m", "simulator", "--port", str(busy.getsockname()[1])]
        ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode != 0
    assert ended.stderr.startswith("simulator: cannot listen on 127.0.0.1:")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "flags",
    [
        ["--speed", "0"],
        ["--command-latency", "quick"],
        ["--start", "soon"],
        ["--variant", "Z"],
        ["--port", "x"],
    ],
)
def test_invalid_flags_end_with_a_usage_line(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        from_command_line(flags)

    assert ended.value.code == 2
    assert "usage: python -m simulator" in capsys.readouterr().err


def test_flags_are_read() -> None:
    settings = from_command_line(
        [
            "--redirect-uri",
            "https://a.example/",
            "--trouble",
            "outage=TESLA",
            "--command-latency",
            "2",
            "--load",
            "5",
        ]
    )

    assert settings.redirect_uris == ("https://a.example/",)
    assert settings.faults == {"outage": "TESLA"}
    assert (settings.command_latency, settings.load) == ((2.0, 2.0), 5.0)


def test_grants_survive_a_kill(tmp_path: Path, endpoint: Endpoint) -> None:
    flags = ("--state", str(tmp_path / "state.json"), "--start", NIGHT, *NO_LIMITS)
    port = free_port()
    with simulator(*flags, port=port) as started, started.client() as client:
        assert (
            client.post("/control/webhooks", json={"id": "w1", "callbackUri": endpoint.uri}).status_code
            == 201
        )
        back = connect(client)
        pair = v2_pair(client, back["code"])
        headers = v3_headers(client, back["user_id"])
        vehicle_id = first_vehicle(client, headers)
        client.post(f"/api/v2.0/vehicles/{vehicle_id}/webhooks/w1", headers=_bearer(pair))
        endpoint.wait_for(1)
        time.sleep(1.5)
        started.process.kill()
        started.process.wait()

    endpoint.events.clear()
    with simulator(*flags, port=port) as started, started.client() as client:
        refreshed = client.post(
            "/auth/oauth/token",
            data={"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]},
            auth=BASIC,
        )
        assert refreshed.status_code == 200
        assert first_vehicle(client, v3_headers(client, back["user_id"])) == vehicle_id
        locked = client.get(f"/control/vehicles/{vehicle_id}").json()["state"]["locked"]
        client.patch(f"/control/vehicles/{vehicle_id}", json={"is_locked": not locked})
        endpoint.wait_for(1)
    assert endpoint.events[0]["meta"]["webhookId"] == "w1"
    assert endpoint.well_signed


def _bearer(pair: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {pair['access_token']}"}


def test_a_lost_response_breaks_the_connection() -> None:
    with simulator("--trouble", "lostAnswers=1", *NO_LIMITS) as started, started.client() as client:
        assert client.get("/compatibility/v3/compatible-vehicles").status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/api/v2.0/user")

        client.delete("/control/troubles")
        assert client.get("/api/v2.0/user").status_code == 401


def test_a_long_response_sends_its_head_long_before_its_body() -> None:
    flags = ("--command-latency=1.2", "--long-answer-after=0.1", "--start", NIGHT, *NO_LIMITS)
    with simulator(*flags) as started, started.client() as client:
        headers = v3_headers(client, connect(client)["user_id"])
        url = f"/vehicle/v3/vehicles/{first_vehicle(client, headers)}/commands/security/unlock"
        start = time.monotonic()
        with client.stream("POST", url, headers=headers) as response:
            head_after = time.monotonic() - start
            body = json.loads(response.read())

        assert response.status_code == 202
        assert "content-length" not in response.headers
        assert head_after < 0.8
        assert time.monotonic() - start >= 1.1
        assert body["data"]["attributes"]["status"] == {"value": "SUCCESS"}


def test_a_client_that_disconnects_does_not_stop_its_command() -> None:
    with (
        simulator("--command-latency=0.6", "--start", NIGHT, *NO_LIMITS) as started,
        started.client() as client,
    ):
        headers = v3_headers(client, connect(client)["user_id"])
        vehicle_id = first_vehicle(client, headers)
        client.patch(f"/control/vehicles/{vehicle_id}", json={"is_locked": True})
        with pytest.raises(httpx.ReadTimeout):
            client.post(
                f"/vehicle/v3/vehicles/{vehicle_id}/commands/security/unlock", headers=headers, timeout=0.2
            )
        time.sleep(1)

        assert client.get(f"/control/vehicles/{vehicle_id}").json()["state"]["locked"] is False


def _subscribe_one(client: httpx.Client, endpoint: Endpoint) -> None:
    client.post("/control/webhooks", json={"callbackUri": endpoint.uri, "autoSubscribe": True})
    connect(client)


def test_load_is_sent_at_the_requested_rate(endpoint: Endpoint) -> None:
    with simulator("--start", NIGHT, *NO_LIMITS) as started, started.client() as client:
        _subscribe_one(client, endpoint)
        endpoint.wait_for(1)
        endpoint.events.clear()
        response = client.post("/control/load", json={"eventsPerSecond": 200, "seconds": 2, "connections": 4})
        assert response.status_code == 202
        time.sleep(4)
        load = client.get("/control/load").json()

    assert load["running"] is False
    assert load["figures"]["taken"] == load["figures"]["sent"]
    assert load["figures"]["sent"] == pytest.approx(400, rel=0.2)
    loaded = [each for each in endpoint.events if each["eventType"] == "VEHICLE_STATE"]
    assert len({each["eventId"] for each in loaded}) == len(loaded)
    assert endpoint.well_signed
    vehicle = loaded[-1]["data"]["vehicle"]
    assert vehicle.keys() == {"id", "make", "model", "year", "mode", "powertrainType"}
    assert len(loaded[-1]["data"]["signals"]) > 10


def test_load_from_the_command_line_begins_with_the_first_subscription_and_ends_with_the_process(
    endpoint: Endpoint,
) -> None:
    with simulator("--load", "50", "--start", NIGHT, *NO_LIMITS) as started, started.client() as client:
        _subscribe_one(client, endpoint)
        endpoint.wait_for(60)
        start = time.monotonic()
        started.process.terminate()
        assert started.process.wait(5) == 0
        assert time.monotonic() - start < 2.5
    count = len(endpoint.events)
    time.sleep(0.3)
    assert len(endpoint.events) == count


def test_load_ends_when_the_simulator_is_killed(endpoint: Endpoint) -> None:
    with simulator("--load", "50", "--start", NIGHT, *NO_LIMITS) as started, started.client() as client:
        _subscribe_one(client, endpoint)
        endpoint.wait_for(60)
        started.process.kill()
        started.process.wait()
    time.sleep(0.5)
    count = len(endpoint.events)
    time.sleep(0.5)
    assert len(endpoint.events) == count


def test_load_needs_a_webhook_and_a_subscription(endpoint: Endpoint) -> None:
    with simulator() as started, started.client() as client:
        assert client.post("/control/load", json={"eventsPerSecond": 5}).status_code == 404
        client.post("/control/webhooks", json={"callbackUri": endpoint.uri})
        assert client.post("/control/load", json={"eventsPerSecond": 5}).status_code == 400
        assert client.post("/control/load", json={"eventsPerSecond": "many"}).status_code == 400


def test_the_defaults_are_clearly_not_real_credentials(started_without_environment: RunningSimulator) -> None:
    with started_without_environment.client() as client:
        fields = {"response_type": "code", "client_id": BASIC[0], "redirect_uri": REDIRECT}
        assert client.get(f"/connect/oauth/authorize?{urlencode(fields)}").status_code == 400
        fields["client_id"] = "00000000-0000-4000-8000-000000000001"
        assert client.get(f"/connect/oauth/authorize?{urlencode(fields)}").status_code == 302


@pytest.fixture
def started_without_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSimulator]:
    for name in ENVIRONMENT:
        monkeypatch.setitem(ENVIRONMENT, name, "")
    with simulator() as started:
        yield started
