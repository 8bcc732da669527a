"""Limits of the bodies of pages and API calls, in front of Django."""

import asyncio
from typing import Any

import pytest

from fleet import body_limit
from fleet.asgi import application

MEGABYTE = 2**20


def send(
    path: str, *chunks: bytes, length: bytes | None = None, ends: bool = True
) -> tuple[int, dict[str, str], bytes]:
    """Returns status, headers and body of the response to a POST in these chunks."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": not ends or index < len(chunks) - 1}
        for index, chunk in enumerate(chunks)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.sleep(60)
        return messages.pop(0)

    async def respond(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"content-type", b"application/json")]
        + ([] if length is None else [(b"content-length", length)]),
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
        "scheme": "http",
    }

    async def handle() -> None:
        await application(scope, receive, respond)
        await application.close()

    asyncio.run(handle())
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("length", [b"1048577", b"9" * 4300, b"9" * 10_000])
def test_a_declared_length_over_a_megabyte_is_rejected_without_reading(length: bytes) -> None:
    status, headers, body = send("/accounts/sign-in/", length=length)
    assert (status, headers["connection"]) == (413, "close")
    assert b"1 MB" in body


def test_a_chunked_body_over_a_megabyte_is_rejected() -> None:
    assert send("/accounts/sign-in/", *[b"x" * 65_536] * 17, ends=False)[0] == 413


def test_the_api_responds_with_a_problem() -> None:
    status, headers, body = send("/api/v1/commands/", length=b"9" * 20)
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert b'"status":413' in body


def test_a_body_that_does_not_arrive_in_time_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "READ_SECONDS", 0.05)
    assert send("/accounts/sign-in/", b"x", ends=False)[0] == 408


@pytest.mark.django_db(transaction=True)
def test_a_body_at_the_limit_reaches_django() -> None:
    status, _, body = send("/api/unknown/", b"x" * (MEGABYTE - 1), b"x")
    assert (status, b"There is nothing at this address" in body) == (404, True)


@pytest.mark.django_db(transaction=True)
def test_the_callback_url_has_a_smaller_limit() -> None:
    assert send("/webhooks/smartcar/", length=b"9" * 4300)[0] == 413
    assert send("/webhooks/smartcar/", *[b"x" * 65_536] * 5, ends=False)[0] == 413
