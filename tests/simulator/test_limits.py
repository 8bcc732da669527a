"""Request limits: the application's bucket, each vehicle's own, the monthly limit, the plan's vehicles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.limits import Bucket
from tests.simulator.conftest import Simulate
from tests.simulator.harness import Driver, SimulatorHarness


def user_status(driver: Driver) -> int:
    return int(driver.harness.client.get("/api/v2.0/user", headers=driver.v2).status_code)


def test_by_default_an_application_has_120_requests_and_regains_2_a_minute(simulate: Simulate) -> None:
    driver = simulate(request_bucket=120, request_refill=2.0).driver()

    assert [user_status(driver) for _ in range(121)] == [200] * 120 + [429]
    driver.harness.simulation.clock.advance(61)

    assert [user_status(driver) for _ in range(3)] == [200, 200, 429]


def test_both_api_versions_share_the_applications_limit(simulate: Simulate) -> None:
    driver = simulate(request_bucket=2, request_refill=0.0).driver()
    assert user_status(driver) == 200
    assert driver.get3().status_code == 200

    v2 = driver.harness.client.get("/api/v2.0/user", headers=driver.v2)
    v3 = driver.get3()

    assert (v2.json()["type"], v2.json()["code"], v2.status_code) == ("RATE_LIMIT", "SMARTCAR_API", 429)
    assert "retry-after" not in v2.headers, "v2 documents the header for a vehicle's limit only"
    assert (v3.json()["errors"][0]["code"], v3.status_code) == ("SMARTCAR_API", 429)
    assert int(v3.headers["retry-after"]) > 0


def test_a_vehicle_has_its_own_limit_and_returns_retry_after(simulate: Simulate) -> None:
    driver = simulate(vehicle_bucket=2, vehicle_refill=6.0).driver()
    assert [driver.get("/odometer").status_code for _ in range(2)] == [200, 200]

    refused = driver.get("/odometer")
    wait = int(refused.headers["retry-after"])
    driver.harness.simulation.clock.advance(wait)

    assert (refused.status_code, refused.json()["code"]) == (429, "VEHICLE")
    assert 1 <= wait <= 10
    assert driver.get("/odometer").status_code == 200


def test_reading_the_v3_store_does_not_use_up_the_vehicles_limit(simulate: Simulate) -> None:
    driver = simulate(vehicle_bucket=1, vehicle_refill=0.0).driver()

    assert [driver.get3("/signals").status_code for _ in range(3)] == [200] * 3
    assert driver.post3("/commands/security/unlock").status_code != 429
    assert driver.post3("/commands/security/unlock").status_code == 429


def test_the_monthly_limit_resets_with_the_next_month(simulate: Simulate) -> None:
    driver = simulate(monthly_limit=2).driver()
    assert [driver.get("/odometer").status_code for _ in range(2)] == [200, 200]

    refused = driver.get("/odometer")
    assert (refused.status_code, refused.json()["type"]) == (430, "BILLING")
    assert refused.json()["code"] == "VEHICLE_REQUEST_LIMIT"
    v3 = driver.get3("/signals")
    assert (v3.status_code, v3.json()["errors"][0]["status"]) == (430, "430")

    driver.harness.simulation.clock.advance(31 * 86400)
    again = driver.harness.token(grant_type="refresh_token", refresh_token=driver.refresh_token).json()
    driver.access_token = again["access_token"]
    assert driver.get("/odometer").status_code == 200


def test_vehicles_beyond_the_plan_are_rejected(simulate: Simulate) -> None:
    sim = simulate(vehicle_limit=1)
    first, second = sim.driver(make="TESLA"), sim.driver(make="FORD")

    assert first.get("/odometer").status_code == 200
    assert second.get("/odometer").json()["code"] == "VEHICLE_LIMIT"
    assert second.get3("/signals").status_code == 430


def test_limits_can_be_changed_until_the_next_reset(simulate: Simulate) -> None:
    driver = simulate(request_bucket=0).driver()
    client = driver.harness.client

    changed = client.post("/control/limits", json={"requestBucket": 2, "requestRefill": 0.5})
    assert changed.json()["requestBucket"] == 2
    assert [user_status(driver) for _ in range(3)] == [200, 200, 429]

    client.post("/control/reset", json={})
    assert client.get("/control/limits").json()["requestBucket"] == 0


@pytest.mark.parametrize("body", [{"requestbucket": 1}, {"requestBucket": "1"}, {"vehicleRefill": -1}])
def test_an_invalid_limit_is_rejected(sim: SimulatorHarness, body: dict[str, object]) -> None:
    assert sim.client.post("/control/limits", json=body).status_code == 400


def test_without_a_limit_no_request_is_rejected(sim: SimulatorHarness) -> None:
    driver = sim.driver()

    assert {driver.get("/odometer").status_code for _ in range(150)} == {200}


@given(
    size=st.integers(1, 50),
    per_minute=st.floats(0.1, 600),
    gaps=st.lists(st.floats(0, 600), min_size=1, max_size=80),
)
def test_a_bucket_never_gives_more_than_its_size_and_refill(
    size: int, per_minute: float, gaps: list[float]
) -> None:
    bucket = Bucket(size=size, per_minute=per_minute, level=size, at=0.0)
    now, given_out = 0.0, 0
    for gap in gaps:
        now += gap
        wait = bucket.take(now)
        given_out += wait == 0
        if wait:
            assert bucket.take(now + wait + 1e-6) == 0, "what it says to wait is enough"
            given_out += 1
            now += wait + 1e-6

    assert given_out <= size + now * per_minute / 60 + 1e-3


@pytest.mark.parametrize("size", [0, -1])
def test_a_bucket_of_no_size_never_rejects(size: int) -> None:
    bucket = Bucket(size=size, per_minute=0.0, level=0, at=0.0)

    assert [bucket.take(0.0) for _ in range(5)] == [0.0] * 5
