"""Token endpoints: the documented lifetimes, rotation and OAuth errors."""

import base64

import pytest

from simulator.tokens import TokenError, TokenStore
from tests.simulator.conftest import Simulate
from tests.simulator.harness import CREDENTIALS, REDIRECT, SimulatorHarness

BASIC = (CREDENTIALS.application_id, CREDENTIALS.application_secret)


def test_a_code_becomes_a_pair_that_lives_two_hours(sim: SimulatorHarness) -> None:
    response = sim.token(grant_type="authorization_code", code=sim.grant()["code"], redirect_uri=REDIRECT)

    assert response.status_code == 200
    assert response.json().keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (response.json()["token_type"], response.json()["expires_in"]) == ("Bearer", 7200)


def test_a_code_works_once(sim: SimulatorHarness) -> None:
    code = sim.grant()["code"]
    sim.exchange(code)

    again = sim.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert again.json()["error_description"]


def test_credentials_in_the_form_body_count_like_those_in_the_header(sim: SimulatorHarness) -> None:
    fields = {"grant_type": "authorization_code", "code": sim.grant()["code"], "redirect_uri": REDIRECT}
    known = {"client_id": CREDENTIALS.application_id, "client_secret": CREDENTIALS.application_secret}

    wrong = sim.client.post("/auth/oauth/token", data=fields | known | {"client_secret": "wrong"})
    missing = sim.client.post("/auth/oauth/token", data=fields | {"client_id": known["client_id"]})
    right = sim.client.post("/auth/oauth/token", data=fields | known)

    assert [(each.status_code, each.json()["error"]) for each in (wrong, missing)] == [
        (401, "invalid_client")
    ] * 2
    assert (right.status_code, right.json()["token_type"]) == (200, "Bearer")


@pytest.mark.parametrize(("seconds", "status"), [(590, 200), (610, 400)])
def test_a_code_lives_ten_minutes(sim: SimulatorHarness, seconds: float, status: int) -> None:
    code = sim.grant()["code"]
    sim.simulation.clock.advance(seconds)

    assert sim.token(grant_type="authorization_code", code=code).status_code == status


def test_a_code_is_bound_to_its_redirect_uri(sim: SimulatorHarness) -> None:
    code = sim.grant()["code"]

    response = sim.token(
        grant_type="authorization_code", code=code, redirect_uri="http://localhost:8000/other"
    )

    assert response.json()["error"] == "invalid_grant"


def test_an_access_token_expires_after_two_hours(sim: SimulatorHarness) -> None:
    driver = sim.driver()
    assert sim.client.get("/api/v2.0/user", headers=driver.v2).status_code == 200

    sim.simulation.clock.advance(7210)
    response = sim.client.get("/api/v2.0/user", headers=driver.v2)

    assert (response.status_code, response.json()["type"], response.json()["code"]) == (
        401,
        "AUTHENTICATION",
        None,
    )


def test_a_refresh_gives_a_new_pair_and_leaves_the_access_token_alive(sim: SimulatorHarness) -> None:
    driver = sim.driver()

    refreshed = sim.token(grant_type="refresh_token", refresh_token=driver.refresh_token).json()

    assert refreshed["refresh_token"] != driver.refresh_token
    assert refreshed["access_token"] != driver.access_token
    assert sim.client.get("/api/v2.0/user", headers=driver.v2).status_code == 200


@pytest.mark.parametrize(("reuse", "within", "after"), [(600.0, 590, 20), (60.0, 50, 20)])
def test_a_used_refresh_token_dies_after_the_reuse_window(
    simulate: Simulate, reuse: float, within: float, after: float
) -> None:
    sim = simulate(refresh_reuse=reuse)
    used = sim.driver().refresh_token
    assert sim.token(grant_type="refresh_token", refresh_token=used).status_code == 200

    sim.simulation.clock.advance(within)
    assert sim.token(grant_type="refresh_token", refresh_token=used).status_code == 200
    sim.simulation.clock.advance(after)

    response = sim.token(grant_type="refresh_token", refresh_token=used)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_a_refresh_token_dies_unused_after_sixty_days(sim: SimulatorHarness) -> None:
    old, older = sim.driver(), sim.driver()
    sim.simulation.clock.advance(59 * 86400)
    assert sim.token(grant_type="refresh_token", refresh_token=old.refresh_token).status_code == 200

    sim.simulation.clock.advance(2 * 86400)
    assert sim.token(grant_type="refresh_token", refresh_token=older.refresh_token).status_code == 400


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "made up"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "made up"}, "invalid_grant"),
    ],
)
def test_invalid_v2_token_requests_get_oauth_errors(
    sim: SimulatorHarness, fields: dict[str, str], error: str
) -> None:
    response = sim.token(**fields)

    assert (response.status_code, response.json()["error"]) == (400, error)


def test_v2_tokens_need_the_right_secret_a_form_and_a_user_agent(sim: SimulatorHarness) -> None:
    def request_token(**options: object) -> tuple[int, str]:
        fields = {"grant_type": "refresh_token", "refresh_token": "x"}
        response = sim.client.post("/auth/oauth/token", **({"data": fields, "auth": BASIC} | options))
        return response.status_code, response.json()["error"]

    assert request_token(auth=(BASIC[0], "wrong")) == (401, "invalid_client")
    assert request_token(auth=None) == (401, "invalid_client")
    assert request_token(data=None, json={"grant_type": "refresh_token"}) == (400, "invalid_request")
    assert request_token(headers={"User-Agent": ""}) == (400, "invalid_request")


def test_a_make_the_application_may_not_use_is_unauthorized_client(sim: SimulatorHarness) -> None:
    sim.inject_faults(unauthorizedMakes=["TESLA"])

    response = sim.token(grant_type="authorization_code", code=sim.grant(make="TESLA")["code"])

    assert response.json()["error"] == "unauthorized_client"
    assert response.json()["error_description"] == "not authorized to requested make(s): TESLA"


@pytest.mark.parametrize("form", [True, False])
def test_v3_application_tokens_come_for_form_and_json(sim: SimulatorHarness, form: bool) -> None:
    fields = {
        "grant_type": "client_credentials",
        "client_id": CREDENTIALS.client_id,
        "client_secret": CREDENTIALS.client_secret,
    }
    body = {"data": fields} if form else {"json": fields}

    response = sim.client.post("/iam/oauth2/token", **body)

    assert response.status_code == 200
    assert response.json().keys() == {"access_token", "token_type", "expires_in"}
    assert response.json()["expires_in"] == 3600


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": "authorization_code"}, 400, "invalid_request"),
        ({"grant_type": "client_credentials"}, 400, "invalid_request"),
        (
            {"grant_type": "client_credentials", "client_id": "client_test", "client_secret": "x"},
            401,
            "invalid_client",
        ),
        (
            {
                "grant_type": "client_credentials",
                "client_id": CREDENTIALS.application_id,
                "client_secret": CREDENTIALS.client_secret,
            },
            401,
            "invalid_client",
        ),
    ],
)
def test_invalid_v3_token_requests_get_oauth_errors(
    sim: SimulatorHarness, fields: dict[str, str], status: int, error: str
) -> None:
    response = sim.client.post("/iam/oauth2/token", data=fields)

    assert (response.status_code, response.json()["error"]) == (status, error)


def test_a_v3_token_lives_one_hour(sim: SimulatorHarness) -> None:
    headers = {"Authorization": f"Bearer {sim.application_token()}"}
    assert sim.client.get("/vehicle/v3/connections", headers=headers).status_code == 200

    sim.simulation.clock.advance(3610)
    response = sim.client.get("/vehicle/v3/connections", headers=headers)

    assert response.status_code == 401
    assert response.json()["errors"][0]["code"] == "UNAUTHORIZED"


def test_v2_credentials_are_not_v3_credentials(sim: SimulatorHarness) -> None:
    encoded = base64.b64encode(f"{CREDENTIALS.client_id}:{CREDENTIALS.client_secret}".encode()).decode()

    response = sim.client.post(
        "/auth/oauth/token",
        data={"grant_type": "refresh_token", "refresh_token": "x"},
        headers={"Authorization": f"Basic {encoded}"},
    )

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_the_token_store_does_not_show_secrets() -> None:
    store = TokenStore()
    code = store.issue_code(user_id="u", vehicle_ids=("v",), scopes=(), redirect_uri=None, now=0)
    pair = store.exchange(code=code, redirect_uri=None, now=1)

    assert pair.access not in f"{store!r}{pair!r}"
    with pytest.raises(TokenError) as error_info:
        store.rotate(refresh="no such token", now=1)
    assert "no such token" not in str(error_info.value)
