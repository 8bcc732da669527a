"""Several applications in one simulator: separate grants, tokens, webhooks and keys, the same vehicles."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.simulator.harness import CREDENTIALS, REDIRECT, SimulatorHarness

SECOND: dict[str, Any] = {
    "applicationId": "99999999-2222-4333-8444-555555555555",
    "applicationSecret": "the second one's secret",
    "clientId": "client_second",
    "clientSecret": "the second one's client secret",
    "managementTokens": ["the second one's token"],
}


@pytest.fixture
def second(sim: SimulatorHarness) -> str:
    response = sim.client.post("/control/applications", json=SECOND)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def grant(sim: SimulatorHarness, application_id: str) -> dict[str, str]:
    query = {"response_type": "code", "client_id": application_id, "redirect_uri": REDIRECT}
    body = {"url": f"http://testserver/connect/oauth/authorize?{urlencode(query)}"}
    response = sim.client.post("/control/grants", params={"applicationId": application_id}, json=body)
    return dict(parse_qsl(urlsplit(response.json()["redirect"]).query))


def get_token(sim: SimulatorHarness, client_id: str, secret: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return str(sim.client.post("/iam/oauth2/token", data=form).json()["access_token"])


def list_connections(sim: SimulatorHarness, token: str) -> int:
    response = sim.client.get("/vehicle/v3/connections", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200, response.text
    return int(response.json()["meta"]["totalCount"])


def test_a_grant_counts_for_its_application_only(sim: SimulatorHarness, second: str) -> None:
    grant(sim, second)
    second_token = get_token(sim, SECOND["clientId"], SECOND["clientSecret"])
    first_token = get_token(sim, CREDENTIALS.client_id, CREDENTIALS.client_secret)
    assert list_connections(sim, second_token) >= 1
    assert list_connections(sim, first_token) == 0


def test_a_code_is_exchanged_with_its_own_application(sim: SimulatorHarness, second: str) -> None:
    form = {"grant_type": "authorization_code", "code": grant(sim, second)["code"]}
    wrong = (CREDENTIALS.application_id, CREDENTIALS.application_secret)
    right = (second, SECOND["applicationSecret"])
    assert sim.client.post("/auth/oauth/token", auth=wrong, data=form).json()["error"] == "invalid_grant"
    pair = sim.client.post("/auth/oauth/token", auth=right, data=form).json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert sim.client.get("/api/v2.0/vehicles", headers=headers).json()["vehicles"]


def test_credentials_of_two_applications_do_not_mix(sim: SimulatorHarness, second: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": SECOND["clientId"]}
    mixed = form | {"client_secret": CREDENTIALS.client_secret}
    assert sim.client.post("/iam/oauth2/token", data=mixed).status_code == 401
    assert sim.client.post("/iam/oauth2/token", json=mixed).status_code == 401


def test_a_webhook_is_verified_and_signed_with_the_key_of_its_application(
    sim: SimulatorHarness, second: str
) -> None:
    webhook = {"callbackUri": "http://callback.test/second", "autoSubscribe": True}
    parameters = {"applicationId": second}
    assert sim.client.post("/control/webhooks", params=parameters, json=webhook).status_code == 422
    sim.callback.key = SECOND["managementTokens"][0]
    assert sim.client.post("/control/webhooks", params=parameters, json=webhook).status_code == 201
    assert sim.client.get("/control/webhooks").json()["webhooks"] == []


def test_an_application_with_an_id_that_is_taken_is_rejected(sim: SimulatorHarness, second: str) -> None:
    assert sim.client.post("/control/applications", json=SECOND).status_code == 400
    assert sim.client.post("/control/applications", json={"applicationId": "x"}).status_code == 400


def test_connect_pages_belong_to_the_application_of_the_address(sim: SimulatorHarness, second: str) -> None:
    query = {"response_type": "code", "application_id": second, "redirect_uri": REDIRECT}
    response = sim.client.get("/connect/oauth/authorize", params=query)
    assert response.status_code == 302
    assert sim.client.get(response.headers["location"]).status_code == 200
    unknown = sim.client.get("/connect/oauth/authorize", params=query | {"application_id": "nobody's"})
    assert unknown.status_code == 400


def test_a_reset_leaves_the_first_application_only(sim: SimulatorHarness, second: str) -> None:
    assert len(sim.client.get("/control/applications").json()["applications"]) == 2
    sim.client.post("/control/reset", json={})
    assert sim.client.get("/control/applications").json()["applications"] == [CREDENTIALS.application_id]
