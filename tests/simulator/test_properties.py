"""Properties for any input: invalid requests get well-formed errors, and tokens follow their rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from simulator.connect.flow import ConnectPageError, open_session
from simulator.fault_injection import SWITCHES
from simulator.permissions import PERMISSIONS
from simulator.tokens import ACCESS_LIFE, CODE_LIFE, REFRESH_LIFE, TokenError, TokenStore
from simulator.vehicles import CATALOGUE
from tests.simulator.harness import CREDENTIALS, SimulatorHarness, start_harness

WORDS = st.sampled_from(
    ["", "code", "none", "live", "true", "TESLA", "force", "1", "required:read_vin", "país"]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def running() -> Iterator[SimulatorHarness]:
    client, simulation, callback = start_harness()
    with client:
        yield SimulatorHarness(client, simulation, callback)


@pytest.fixture(scope="module")
def shared() -> Iterator[SimulatorHarness]:
    """One simulator for all examples, which must not break it."""
    with running() as sim:
        yield sim


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return JSON objects with some of these names and any values."""
    return st.dictionaries(st.sampled_from(names), JSON, max_size=len(names))


PARAMETERS = (
    "response_type", "client_id", "application_id", "redirect_uri", "scope", "state", "mode", "make", "single_select",
    "single_select_vin", "flags", "approval_prompt", "user", "external_id", "vehicle_id",
)  # fmt: skip


@FUZZ
@given(
    path=st.sampled_from(["authorize", "reauthenticate"]),
    parameters=st.dictionaries(st.sampled_from(PARAMETERS), WORDS | st.text(max_size=12)),
)
def test_any_connect_address_redirects_or_explains_an_error(
    shared: SimulatorHarness, path: str, parameters: dict[str, str]
) -> None:
    fields = {"client_id": CREDENTIALS.application_id, "response_type": "code"} | parameters
    url = f"http://testserver/connect/oauth/{path}?{urlencode(fields)}"

    try:
        session = open_session(shared.simulation, url)
    except ConnectPageError as wrong:
        assert str(wrong)
        assert shared.client.get(url).status_code == 400
    else:
        assert set(session.scopes) <= set(PERMISSIONS)
        assert shared.client.get(url).status_code == 302


@FUZZ
@given(body=objects("email", "make", "vehicleIds", "count", "scopes", "outcome"))
def test_any_grant_succeeds_or_returns_an_error(shared: SimulatorHarness, body: dict[str, Any]) -> None:
    response = shared.client.post("/control/grants", json={"url": shared.connect_url()} | body)

    assert response.status_code in (200, 400, 422)
    assert response.json().keys() in ({"redirect"}, {"error"})


@FUZZ
@given(
    call=st.sampled_from(["/webhooks", "/deliver", "/clock", "/disconnect", "/reset", "/load"]),
    body=objects(
        "id", "name", "callbackUri", "errorCallbackUri", "signals", "triggers", "variant", "autoSubscribe", "vehicleId",
        "webhookId", "eventType", "advance", "speed", "userId", "eventsPerSecond", "seconds", "connections",
    )
    | JSON,
)  # fmt: skip
def test_any_control_call_succeeds_or_returns_an_error(
    shared: SimulatorHarness, call: str, body: Any
) -> None:
    response = shared.client.post(f"/control{call}", json=body)

    assert response.status_code in (200, 201, 202, 400, 404, 422)


@FUZZ
@given(body=objects(*SWITCHES, "gremlins"))
def test_any_faults_are_set_or_rejected_with_a_message(body: dict[str, Any]) -> None:
    with running() as sim:
        assert sim.client.post("/control/troubles", json=body).status_code in (200, 400)


ATTRIBUTES = objects(
    "percent", "latitude", "longitude", "location", "startTime", "stopTime", "days", "weekdays", "weekends"
)


@FUZZ
@given(
    path=st.sampled_from(
        [
            "commands/security/lock", "commands/charge/start", "commands/charge/set-limit",
            "commands/navigation/set-destination", "charge-schedules/daily", "charge-schedules/weekly",
            "charge-schedules/workweek",
        ]
    ),
    body=ATTRIBUTES.map(lambda attributes: {"data": {"attributes": attributes}}) | JSON,
)  # fmt: skip
def test_any_v3_command_gets_a_well_formed_response(shared: SimulatorHarness, path: str, body: Any) -> None:
    driver = shared.driver(make="TESLA")
    url = f"/vehicle/v3/vehicles/{driver.vehicle_id}/{path}"

    response = shared.client.post(url, headers=driver.v3, json=body)

    if response.status_code == 200:
        assert response.json()["data"]["attributes"]["status"] == {"value": "SUCCESS"}
    else:
        assert {each["status"] for each in response.json()["errors"]} == {str(response.status_code)}
        assert response.status_code in (400, 409, 501)


@FUZZ
@given(
    path=st.sampled_from(["batch", "security", "charge", "charge/limit", "navigation/destination"]),
    body=objects("action", "limit", "latitude", "longitude", "requests") | JSON,
)
def test_any_v2_post_gets_a_well_formed_response(shared: SimulatorHarness, path: str, body: Any) -> None:
    driver = shared.driver(make="TESLA")

    response = driver.post(f"/{path}", body)

    if response.status_code != 200:
        assert response.json()["statusCode"] == response.status_code
        assert response.status_code in (400, 409, 501)


@FUZZ
@given(
    body=st.binary(max_size=40) | JSON.map(str).map(str.encode),
    kind=st.sampled_from(["json", "x-www-form-urlencoded"]),
)
def test_any_token_request_gets_a_well_formed_response(
    shared: SimulatorHarness, body: bytes, kind: str
) -> None:
    headers = {"Content-Type": f"application/{kind}"}

    for path in ("/iam/oauth2/token", "/auth/oauth/token"):
        basic = (CREDENTIALS.application_id, CREDENTIALS.application_secret)
        response = shared.client.post(path, content=body, headers=headers, auth=basic)
        assert response.status_code == 400
        assert response.json().keys() == {"error", "error_description"}


@FUZZ
@given(
    state=st.dictionaries(st.sampled_from(["speed", "doors", "is_locked", "state_of_charge", "odd"]), JSON)
)
def test_any_state_of_a_vehicle_is_set_or_rejected_with_a_message(
    shared: SimulatorHarness, state: dict[str, Any]
) -> None:
    vehicle_id = next(iter(shared.simulation.fleet.vehicles))

    response = shared.client.patch(f"/control/vehicles/{vehicle_id}", json=state)

    assert response.status_code in (200, 400)
    if response.status_code == 200:
        assert set(response.json()["changed"]) <= set(CATALOGUE)


class TokenLife(RuleBasedStateMachine):
    """Codes, refreshes and time, in any order, against the documented rules."""

    codes: Bundle[str] = Bundle("codes")
    refreshes: Bundle[str] = Bundle("refreshes")

    @initialize(reuse=st.sampled_from([60.0, 600.0]))
    def begin(self, reuse: float) -> None:
        self.book = TokenStore(reuse=reuse)
        self.now = 1_000_000.0
        self.code_until: dict[str, float] = {}
        self.refresh_until: dict[str, float] = {}
        self.access_until: dict[str, float] = {}

    @rule(target=codes)
    def grant(self) -> str:
        code = self.book.issue_code(
            user_id="u", vehicle_ids=("v",), scopes=(), redirect_uri=None, now=self.now
        )
        self.code_until[code] = self.now + CODE_LIFE
        return code

    @rule(seconds=st.sampled_from([1.0, 30.0, 300.0, 3600.0, 86400.0, 31 * 86400.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=refreshes, code=codes)
    def exchange(self, code: str) -> str:
        good = self.code_until.pop(code, 0.0) >= self.now
        try:
            pair = self.book.exchange(code=code, redirect_uri=None, now=self.now)
        except TokenError:
            assert not good
            return "no token"
        assert good
        self._remember(pair.refresh, pair.access)
        return pair.refresh

    @rule(target=refreshes, refresh=refreshes)
    def rotate(self, refresh: str) -> str:
        good = self.refresh_until.get(refresh, 0.0) >= self.now
        try:
            pair = self.book.rotate(refresh=refresh, now=self.now)
        except TokenError:
            assert not good
            return "no token"
        assert good
        self.refresh_until[refresh] = min(self.refresh_until[refresh], self.now + self.book.reuse)
        self._remember(pair.refresh, pair.access)
        return pair.refresh

    def _remember(self, refresh: str, access: str) -> None:
        assert refresh not in self.refresh_until
        self.refresh_until[refresh] = self.now + REFRESH_LIFE
        self.access_until[access] = self.now + ACCESS_LIFE

    @rule()
    def revoke(self) -> None:
        self.book.revoke_user(user_id="u")
        self.code_until.clear()
        self.refresh_until.clear()
        self.access_until.clear()

    @invariant()
    def access_tokens_live_two_hours(self) -> None:
        for access, until in getattr(self, "access_until", {}).items():
            assert (self.book.pair_for(access=access, now=self.now) is not None) == (until >= self.now)


TestTokenLife = TokenLife.TestCase
TestTokenLife.settings = settings(max_examples=40, deadline=None)
