"""Requests to a misbehaving server, seen through a command of each API version."""

import os
import socket
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from smartcar_api import Access, Credentials, SmartcarApi, SmartcarError, V2Api, V3Api
from smartcar_api.transport import MAX_BODY_SIZE
from tests.smartcar_api.conftest import CAR, TOKEN, Host, hang, origins_at, respond, send_bytes, stream


@pytest.fixture(params=["v2", "v3"])
def api(request: pytest.FixtureRequest, host: Host, credentials: Credentials) -> SmartcarApi:
    kind = V2Api if request.param == "v2" else V3Api
    return kind(origins=origins_at(host.origin), credentials=credentials, timeout=0.3, command_timeout=0.3)


def lock_error(api: SmartcarApi, access: Access) -> SmartcarError:
    with pytest.raises(SmartcarError) as caught:
        api.lock(access, vehicle_id=CAR)
    return caught.value


def test_timeout_leaves_the_outcome_of_a_command_unknown(
    api: SmartcarApi, access: Access, host: Host
) -> None:
    host.reply_with(hang(host))
    error = lock_error(api, access)
    assert (error.type, error.code, error.status) == ("NO_ANSWER", "TIMEOUT", 0)
    assert error.outcome_unknown


def test_refused_connection_means_the_command_was_not_sent(credentials: Credentials, access: Access) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        origins = origins_at(f"http://127.0.0.1:{free.getsockname()[1]}")
    for kind in (V2Api, V3Api):
        error = lock_error(kind(origins=origins, credentials=credentials, timeout=1), access)
        assert (error.type, error.code) == ("NOT_SENT", "CONNECT_FAILED")
        assert not error.outcome_unknown
        assert not error.permanent


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b'HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{"status":',
        b'HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"data":\r\n',
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"\x00\x01 not HTTP at all\r\n\r\n",
    ],
    ids=["nothing", "cut short", "cut between chunks", "garbled", "not HTTP"],
)
def test_broken_answer_leaves_the_outcome_of_a_command_unknown(
    api: SmartcarApi, access: Access, host: Host, wire: bytes
) -> None:
    host.reply_with(send_bytes(wire))
    error = lock_error(api, access)
    assert (error.type, error.code) == ("NO_ANSWER", "BROKEN")
    assert error.outcome_unknown


@pytest.mark.parametrize(
    "body", [b"", b"<html>OK</html>", b"[]", b'{"data":{"id":"exec_1"}}', b'{"status":"perhaps"}']
)
def test_unreadable_success_leaves_the_outcome_of_a_command_unknown(
    api: SmartcarApi, access: Access, host: Host, body: bytes
) -> None:
    host.reply_with(respond(200, body))
    error = lock_error(api, access)
    assert error.type == "UNREADABLE_ANSWER"
    assert error.outcome_unknown


def test_endless_answer_is_abandoned(api: SmartcarApi, access: Access, host: Host) -> None:
    host.reply_with(stream(*[b" "] * 40, pause=0.05))
    started = time.monotonic()
    error = lock_error(api, access)
    assert error.code == "TIMEOUT"
    assert time.monotonic() - started < 1.5


def test_oversized_answer_is_abandoned(v3: V3Api, access: Access, host: Host) -> None:
    host.reply_with(respond(200, b" " * (MAX_BODY_SIZE + 1)))
    with pytest.raises(SmartcarError) as caught:
        v3.read(access, vehicle_id=CAR)
    assert caught.value.code == "BROKEN"


def test_truncated_error_is_still_an_error(api: SmartcarApi, access: Access, host: Host) -> None:
    host.reply_with(
        send_bytes(b'HTTP/1.1 409 Conflict\r\nContent-Length: 400\r\n\r\n{"type":"VEHICLE_STATE"')
    )
    error = lock_error(api, access)
    assert error.status == 409
    assert not error.outcome_unknown


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/html"}])
def test_gateway_page_is_an_error_with_or_without_a_content_type(
    api: SmartcarApi, access: Access, host: Host, headers: dict[str, str]
) -> None:
    host.reply_with(respond(502, b"<h1>Bad gateway</h1>", headers))
    error = lock_error(api, access)
    assert (error.type, error.status) == ("GATEWAY", 502)
    assert error.outcome_unknown


@pytest.mark.parametrize(
    ("damaged", "read"),
    [
        (b'"K\xe4fer"', "K\ufffdfer"),
        (b'"\\ud800"', "\ufffd"),
        (b'"\\u0000x"', "x"),
        (b"NaN", None),
        (b"1e400", None),
        (b"9" * 5000, None),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_damaged_read_is_returned_as_received_and_as_far_as_it_is_readable(
    api: SmartcarApi, access: Access, host: Host, mark: bytes, damaged: bytes, read: str | None
) -> None:
    body = mark + b'{"data": [{"other": %b, "good": 61}], "responses": [{"other": %b, "good": 61}]}' % (
        (damaged,) * 2
    )
    host.reply_with(respond(200, body, {"Content-Type": "application/json"}))
    answer = api.read(access, vehicle_id=CAR)
    assert answer.raw == body
    entries = [{"other": read, "good": 61}]
    assert answer.body == {"data": entries, "responses": entries}


def test_redirect_is_not_followed(api: SmartcarApi, access: Access, host: Host, other_host: Host) -> None:
    host.reply_with(respond(307, b"", {"Location": f"{other_host.origin}/elsewhere"}))
    assert lock_error(api, access).status == 307
    assert other_host.requests == []


def test_retry_after_is_returned(api: SmartcarApi, access: Access, host: Host) -> None:
    host.reply_with(
        respond(
            429, {"type": "RATE_LIMIT", "code": "VEHICLE", "description": "Slowly."}, {"Retry-After": "33"}
        )
    )
    assert lock_error(api, access).retry_after == 33


@pytest.mark.parametrize("vehicle_id", ["", ".", ".."])
def test_nothing_is_sent_without_a_vehicle(
    api: SmartcarApi, access: Access, host: Host, vehicle_id: str
) -> None:
    with pytest.raises(SmartcarError) as caught:
        api.disconnect(access, vehicle_id=vehicle_id, connection_id=vehicle_id)
    assert caught.value.type == "NOT_SENT"
    assert host.requests == []


def test_special_characters_in_a_vehicle_id_are_escaped(api: SmartcarApi, access: Access, host: Host) -> None:
    host.reply_with(respond(400, {"type": "VALIDATION"}))
    with pytest.raises(SmartcarError):
        api.attributes(access, vehicle_id="../../user?x=1#y")
    assert "%2F..%2Fuser%3Fx%3D1%23y" in host.requests[0].path


def test_token_that_is_invalid_in_a_header_is_rejected_before_sending(api: SmartcarApi, host: Host) -> None:
    for token in ("line\nbreak-0123456789", "ümlaut-0123456789"):
        error = lock_error(api, Access(token=token, user_id="u"))
        assert error.type == "NOT_SENT"
        assert token not in str(error)
    assert host.requests == []


def test_cookies_are_not_shared_between_owners(v3: V3Api, access: Access, host: Host) -> None:
    host.reply_with(respond(200, {"data": []}, {"Set-Cookie": "session=one-owner; Path=/"}))
    v3.read(access, vehicle_id=CAR)
    v3.read(access, vehicle_id=CAR)
    assert [request.headers.get("Cookie") for request in host.requests] == [None, None]


def test_requests_have_a_user_agent(api: SmartcarApi, access: Access, host: Host) -> None:
    host.reply_with(respond(409, {"type": "VEHICLE_STATE"}))
    lock_error(api, access)
    assert str(host.requests[0].headers["User-Agent"]).startswith("smartcar-fleet")


def test_connection_is_reused(api: SmartcarApi, access: Access, host: Host) -> None:
    host.reply_with(respond(409, {"type": "VEHICLE_STATE"}))
    for _ in range(3):
        lock_error(api, access)
    assert len({request.connection for request in host.requests}) == 1


def test_threads_share_a_client(v3: V3Api, access: Access, host: Host) -> None:
    host.reply_with(respond(200, {"data": [{"id": "odometer-traveleddistance"}]}, {"SC-Request-Id": "r"}))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: v3.read(access, vehicle_id=CAR), range(40)))
    assert {answer.request_id for answer in answers} == {"r"}
    assert len(host.requests) == 40


def test_forked_child_opens_its_own_connection(v3: V3Api, access: Access, host: Host) -> None:
    host.reply_with(respond(200, {"data": []}))
    v3.read(access, vehicle_id=CAR)
    child = os.fork()
    if child == 0:
        try:
            v3.read(access, vehicle_id=CAR)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - after any error, the child must not continue as a second pytest
            os._exit(1)
    _, status = os.waitpid(child, 0)
    v3.read(access, vehicle_id=CAR)
    assert os.waitstatus_to_exitcode(status) == 0
    first, in_child, last = (request.connection for request in host.requests)
    assert first == last != in_child


def test_no_frame_of_a_traceback_contains_the_token(api: SmartcarApi, access: Access, host: Host) -> None:
    host.reply_with(respond(401, {"type": "AUTHENTICATION", "description": f"{TOKEN} has expired"}))
    error = lock_error(api, access)
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    own_frames = [
        frame for frame in report.stack if "smartcar_api/" in frame.filename and "tests" not in frame.filename
    ]
    assert own_frames
    assert TOKEN not in "".join(map(str, (frame.locals for frame in own_frames)))
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_secret_of_a_token_request_is_in_no_frame(v3: V3Api, v2: V2Api, host: Host) -> None:
    for secret, call in (
        ("client-secret-1", v3.request_token),
        ("application-secret-1", lambda: v2.exchange_code(code="c-1", redirect_uri="https://fleet.example/")),
    ):
        host.reply_with(
            respond(401, {"error": "invalid_client", "error_description": f"{secret} is unknown"})
        )
        with pytest.raises(SmartcarError) as caught:
            call()
        report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        shown = "".join(str(frame.locals) for frame in report.stack if "tests" not in frame.filename)
        assert shown
        assert secret not in shown + str(caught.value)


def test_management_token_is_in_no_frame(v2: V2Api, access: Access, host: Host) -> None:
    host.reply_with(respond(401, {"type": "AUTHENTICATION", "description": "amt-new amt-old"}))
    with pytest.raises(SmartcarError) as caught:
        v2.unsubscribe(access, vehicle_id=CAR, webhook_id="w-1")
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(str(frame.locals) for frame in report.stack if "tests" not in frame.filename)
    assert "webhook_id" in shown
    assert "amt-old" not in shown + str(caught.value)


def test_closing_closes_the_connection(v3: V3Api, access: Access, host: Host) -> None:
    host.reply_with(respond(200, {"data": []}))
    v3.read(access, vehicle_id=CAR)
    v3.close()
    v3.read(access, vehicle_id=CAR)
    assert len({request.connection for request in host.requests}) == 2
