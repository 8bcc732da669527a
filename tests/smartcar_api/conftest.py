"""A server that answers as each test specifies, on a real socket, for answers that no well-behaved server sends."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from smartcar_api import Access, Credentials, Origins, V2Api, V3Api

Reply = Callable[[BaseHTTPRequestHandler], None]

TOKEN = "sk_live_0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OWNER = "e0514ef4-5226-41e8-8c13-8f6e8f02e27e"
CAR = "36ab27d0-fd9d-4455-823a-ce30af709ffc"
WEBHOOK = "9b6ae692-60cc-4b3e-89d8-71e7549cf805"


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it was received."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Message
    body: bytes
    connection: int


@dataclass
class Host:
    """Sends its replies in order, repeats the last one, and records the requests."""

    origin: str = ""
    replies: list[Reply] = field(default_factory=list)
    requests: list[ReceivedRequest] = field(default_factory=list)
    finished: threading.Event = field(default_factory=threading.Event)

    def reply_with(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def next(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def respond(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
    """Replies with a complete answer: bytes unchanged, anything else as JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if not isinstance(body, bytes | None):
            handler.send_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return reply


def send_bytes(content: bytes) -> Reply:
    """Sends these bytes, then closes the connection."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(content)
        handler.close_connection = True

    return reply


def stream(*parts: bytes, pause: float = 0.0, status: int = 202) -> Reply:
    """Replies in chunks, without a content length."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (*parts, b""):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            handler.wfile.flush()
            threading.Event().wait(pause if part else 0)

    return reply


@pytest.fixture
def host() -> Iterator[Host]:
    with running() as one:
        yield one


@pytest.fixture
def other_host() -> Iterator[Host]:
    with running() as one:
        yield one


class running:
    """Runs a host for the duration of a block."""

    def __enter__(self) -> Host:
        self.host = Host()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.host))
        self.server.daemon_threads = True
        self.host.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self.host

    def __exit__(self, *_: object) -> None:
        self.host.finished.set()
        self.server.shutdown()
        self.server.server_close()


def _handler(host: Host) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            url = urlsplit(self.path)
            host.requests.append(
                ReceivedRequest(
                    method=self.command,
                    path=url.path,
                    query=parse_qs(url.query, keep_blank_values=True),
                    headers=self.headers,
                    body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
                    connection=self.client_address[1],
                )
            )
            host.next()(self)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def hang(host: Host) -> Reply:
    """Never replies while the test runs."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        host.finished.wait(10)
        handler.close_connection = True

    return reply


def origins_at(origin: str) -> Origins:
    """Returns origins with all of Smartcar on one server, with the simulator's path prefixes."""
    return Origins(
        connect=f"{origin}/connect",
        auth=f"{origin}/auth/oauth/token",
        api=f"{origin}/api",
        management=f"{origin}/management",
        iam=f"{origin}/iam",
        vehicle=f"{origin}/vehicle",
        management_v3=f"{origin}/management-v3",
        compatibility=f"{origin}/compatibility",
    )


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(
        application_id="8229df9f-91a0-4ff0-a1ae-a1f38ee24d07",
        application_secret="application-secret-1",
        client_id="client_1",
        client_secret="client-secret-1",
        management_tokens=("amt-new", "amt-old"),
    )


@pytest.fixture
def v2(host: Host, credentials: Credentials) -> V2Api:
    return V2Api(origins=origins_at(host.origin), credentials=credentials, timeout=2)


@pytest.fixture
def v3(host: Host, credentials: Credentials) -> V3Api:
    return V3Api(origins=origins_at(host.origin), credentials=credentials, timeout=2)


@pytest.fixture
def access() -> Access:
    return Access(token=TOKEN, user_id=OWNER)
