"""Every response carries the ID under which the log has its request."""

import logging
from collections.abc import Callable

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.test import Client

from accounts.models import User
from core import request_ids
from core.log_format import LineFormatter
from core.request_ids import HEADER


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200),
        ("/accounts/sign-in/", 200),
        ("/nothing/", 404),
        ("/api/nothing", 404),
        ("/api/v1/vehicles/", 401),
    ],
)
def test_every_response_has_an_id_of_its_own(path: str, status: int) -> None:
    first, second = Client().get(path), Client().get(path)
    assert first.status_code == status
    assert len(first.headers[HEADER]) == 36
    assert first.headers[HEADER] != second.headers[HEADER]


def test_an_unchanged_response_has_an_id(owner: User, browser_of: Callable[[User], Client]) -> None:
    browser = browser_of(owner)
    etag = browser.get("/api/v1/vehicles/").headers["ETag"]
    answer = browser.get("/api/v1/vehicles/", headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert answer.headers[HEADER]


@pytest.mark.parametrize("sent", ["3f1c-trace.77", "a" * 64])
def test_a_valid_id_of_the_client_is_kept(sent: str) -> None:
    assert Client().get("/healthz", headers={HEADER: sent}).headers[HEADER] == sent


@pytest.mark.parametrize(
    "sent", ["", "short", "a" * 65, "with space in it", "new\tline-and-more", "<script>alert(1)"]
)
def test_an_invalid_id_is_replaced(sent: str) -> None:
    answer = Client().get("/healthz", headers={HEADER: sent})
    assert len(answer.headers[HEADER]) == 36


def test_log_lines_of_a_request_end_with_its_id() -> None:
    request = HttpRequest()
    request.request_id = "3f1c-trace.77"  # type: ignore[attr-defined]
    record = logging.makeLogRecord({"msg": "Not Found: /x", "request": request})
    assert LineFormatter("%(message)s").format(record) == "Not Found: /x [3f1c-trace.77]"


def test_log_lines_inside_a_request_have_its_id_and_others_none() -> None:
    seen: list[str] = []

    def respond(request: HttpRequest) -> object:
        seen.append(LineFormatter("%(message)s").format(logging.makeLogRecord({"msg": "Working"})))
        return type("Response", (), {"headers": {}})()

    request = HttpRequest()
    request.META["HTTP_X_REQUEST_ID"] = "3f1c-trace.77"
    request_ids.RequestIdMiddleware(respond)(request)  # type: ignore[arg-type]
    assert seen == ["Working [3f1c-trace.77]"]
    assert LineFormatter("%(message)s").format(logging.makeLogRecord({"msg": "Later"})) == "Later"


def test_the_middleware_is_the_outermost() -> None:
    assert settings.MIDDLEWARE[0] == "core.request_ids.RequestIdMiddleware"
