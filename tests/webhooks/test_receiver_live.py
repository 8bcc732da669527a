"""The receiver in the real server, with misbehaving senders. Uses raw sockets, as no HTTP library would send this."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from tests.web import running_web
from tests.webhooks.helpers import ADDRESS, state_of
from webhooks import asgi, receiver
from webhooks.asgi import WebhookMiddleware
from webhooks.models import InboxEntry, RejectedDeliveryCount
from webhooks.rejections import RejectionReason
from webhooks.signature import sign

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("run_enqueued")]
BODY = state_of("car", locked=True, at=1_760_000_000_000)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[str]:
    """Two server processes, each with its own database connection and counters."""
    with running_web(tmp_path_factory.mktemp("web") / "web.log", workers=2) as url:
        yield url


def connect(web: str) -> socket.socket:
    parts = urlsplit(web)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def head(*fields: str, body: bytes = BODY) -> bytes:
    signed = sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=body)
    lines = [f"POST {ADDRESS} HTTP/1.1", "Host: testserver", f"SC-Signature: {signed}", *fields, "", ""]
    return "\r\n".join(lines).encode()


def status(connection: socket.socket) -> int:
    return int(connection.recv(4096).split()[1])


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_deliveries_over_many_connections_are_stored_by_all_server_processes(web: str) -> None:
    lines = [connect(web) for _ in range(20)]
    for connection in lines:
        connection.sendall(head(f"Content-Length: {len(BODY)}") + BODY)
    assert [status(connection) for connection in lines] == [200] * 20
    assert InboxEntry.objects.count() == 20


def test_chunked_body_is_stored_unchanged(web: str) -> None:
    with connect(web) as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        for start in range(0, len(BODY), 100):
            connection.sendall(chunk(BODY[start : start + 100]))
        connection.sendall(chunk(b""))
        assert status(connection) == 200
    assert bytes(InboxEntry.objects.get().body) == BODY


def test_body_announced_as_too_large_is_rejected_before_it_is_sent(web: str) -> None:
    with connect(web) as connection:
        connection.sendall(head(f"Content-Length: {receiver.BODY_LIMIT + 1}"))
        assert status(connection) == 413
    wait_until(
        lambda: RejectedDeliveryCount.objects.filter(reason=RejectionReason.TOO_LARGE, count=1).exists()
    )


def test_endless_chunked_body_is_rejected_at_the_limit(web: str) -> None:
    with connect(web) as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        for _ in range(receiver.BODY_LIMIT // 4096 + 1):
            connection.sendall(chunk(b"x" * 4096))
        assert status(connection) == 413
    assert not InboxEntry.objects.exists()


@pytest.mark.parametrize("announced", [len(BODY) + 10, len(BODY) * 2])
def test_incomplete_body_is_not_stored(web: str, announced: int) -> None:
    with connect(web) as connection:
        connection.sendall(head(f"Content-Length: {announced}") + BODY)
    with connect(web) as connection:
        connection.sendall(head(f"Content-Length: {len(BODY)}") + BODY)
        assert status(connection) == 200
    assert InboxEntry.objects.count() == 1


def test_bytes_beyond_the_announced_length_are_ignored(web: str) -> None:
    with connect(web) as connection:
        connection.sendall(head(f"Content-Length: {len(BODY)}") + BODY + b"smuggled")
        assert status(connection) == 200
    assert bytes(InboxEntry.objects.get().body) == BODY


def test_other_pages_are_served_by_django(web: str) -> None:
    with connect(web) as connection:
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert status(connection) == 200


def test_slow_sender_gets_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "READ_SECONDS", 0.05)
    sent: list[dict[str, Any]] = []

    async def never() -> Mapping[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def django(*_: Any) -> None:
        raise AssertionError

    callback = WebhookMiddleware(path=ADDRESS, app=django, on_startup=lambda: None)
    asyncio.run(callback({"type": "http", "method": "POST", "path": ADDRESS, "headers": []}, never, send))
    assert sent[0]["status"] == 408


def test_counts_are_written_when_the_server_stops(tmp_path: Path) -> None:
    with running_web(tmp_path / "web.log") as url, connect(url) as connection:
        connection.sendall(
            f"POST {ADDRESS} HTTP/1.1\r\nHost: testserver\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        assert status(connection) == 401
    # The server of the other tests may write its own counts at the same time.
    assert RejectedDeliveryCount.objects.get(reason=RejectionReason.UNSIGNED).count == 1
