"""The receiver in the real server, with senders that do not behave. Raw sockets: no HTTP library would send this."""

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
    """Two server processes: each has its own connection and its own counts."""
    with running_web(tmp_path_factory.mktemp("web") / "web.log", workers=2) as url:
        yield url


def opened(web: str) -> socket.socket:
    parts = urlsplit(web)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def head(*fields: str, body: bytes = BODY) -> bytes:
    signed = sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=body)
    lines = [f"POST {ADDRESS} HTTP/1.1", "Host: testserver", f"SC-Signature: {signed}", *fields, "", ""]
    return "\r\n".join(lines).encode()


def status(line: socket.socket) -> int:
    return int(line.recv(4096).split()[1])


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_deliveries_over_many_connections_reach_the_inbox_through_all_server_processes(web: str) -> None:
    lines = [opened(web) for _ in range(20)]
    for line in lines:
        line.sendall(head(f"Content-Length: {len(BODY)}") + BODY)
    assert [status(line) for line in lines] == [200] * 20
    assert InboxEntry.objects.count() == 20


def test_a_chunked_body_is_taken_as_it_came(web: str) -> None:
    with opened(web) as line:
        line.sendall(head("Transfer-Encoding: chunked"))
        for start in range(0, len(BODY), 100):
            line.sendall(chunk(BODY[start : start + 100]))
        line.sendall(chunk(b""))
        assert status(line) == 200
    assert bytes(InboxEntry.objects.get().body) == BODY


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(web: str) -> None:
    with opened(web) as line:
        line.sendall(head(f"Content-Length: {receiver.BODY_LIMIT + 1}"))
        assert status(line) == 413
    eventually(
        lambda: RejectedDeliveryCount.objects.filter(reason=RejectionReason.TOO_LARGE, count=1).exists()
    )


def test_a_chunked_body_without_end_is_refused_at_the_limit(web: str) -> None:
    with opened(web) as line:
        line.sendall(head("Transfer-Encoding: chunked"))
        for _ in range(receiver.BODY_LIMIT // 4096 + 1):
            line.sendall(chunk(b"x" * 4096))
        assert status(line) == 413
    assert not InboxEntry.objects.exists()


@pytest.mark.parametrize("announced", [len(BODY) + 10, len(BODY) * 2])
def test_a_sender_that_goes_before_its_body_is_whole_leaves_nothing(web: str, announced: int) -> None:
    with opened(web) as line:
        line.sendall(head(f"Content-Length: {announced}") + BODY)
    with opened(web) as line:
        line.sendall(head(f"Content-Length: {len(BODY)}") + BODY)
        assert status(line) == 200
    assert InboxEntry.objects.count() == 1


def test_what_comes_after_the_announced_length_is_no_part_of_the_body(web: str) -> None:
    with opened(web) as line:
        line.sendall(head(f"Content-Length: {len(BODY)}") + BODY + b"smuggled")
        assert status(line) == 200
    assert bytes(InboxEntry.objects.get().body) == BODY


def test_pages_are_still_django_s(web: str) -> None:
    with opened(web) as line:
        line.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert status(line) == 200


def test_a_sender_that_takes_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "READ_SECONDS", 0.05)
    sent: list[dict[str, Any]] = []

    async def never() -> Mapping[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def django(*_: Any) -> None:
        raise AssertionError

    callback = WebhookMiddleware(path=ADDRESS, app=django)
    asyncio.run(callback({"type": "http", "method": "POST", "path": ADDRESS, "headers": []}, never, send))
    assert sent[0]["status"] == 408


def test_what_was_counted_just_before_the_server_stops_is_written_down(tmp_path: Path) -> None:
    with running_web(tmp_path / "web.log") as url, opened(url) as line:
        line.sendall(f"POST {ADDRESS} HTTP/1.1\r\nHost: testserver\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        assert status(line) == 401
    # The server of the other tests may write its own counts meanwhile.
    assert RejectedDeliveryCount.objects.get(reason=RejectionReason.UNSIGNED).count == 1
