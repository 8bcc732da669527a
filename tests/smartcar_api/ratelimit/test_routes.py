"""The target of a request, derived from its URL."""

import pytest

from smartcar_api import Origins
from smartcar_api.ratelimit.routes import Target, parse_target
from smartcar_api.transport import Outgoing
from tests.smartcar_api.conftest import origins_at

REAL = Origins()
API, VEHICLE = REAL.api, REAL.vehicle


def target_for(url: str, *, parts: int = 1, origins: Origins = REAL) -> Target:
    return parse_target(Outgoing("GET", url, parts, 15.0), origins=origins)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (REAL.auth, Target("auth", REAL.auth)),
        (f"{REAL.iam}/oauth2/token", Target("iam", REAL.iam)),
        (f"{VEHICLE}/v3/connections?filter[userId]=1", Target("vehicle", VEHICLE)),
        (f"{VEHICLE}/v3/vehicles/c-1", Target("vehicle", VEHICLE, "c-1", 0)),
        (f"{VEHICLE}/v3/vehicles/c-1/signals", Target("vehicle", VEHICLE, "c-1", 1)),
        (f"{VEHICLE}/v3/vehicles/c-1/commands/security/lock", Target("vehicle", VEHICLE, "c-1", 1)),
        (f"{VEHICLE}/v3/vehicles/c-1/charge-schedules/daily", Target("vehicle", VEHICLE, "c-1", 1)),
        (f"{API}/v2.0/vehicles?limit=50", Target("api", API)),
        (f"{API}/v2.0/user", Target("api", API)),
        (f"{API}/v2.0/vehicles/c-1", Target("api", API, "c-1", 1)),
        (f"{API}/v2.0/vehicles/c-1/odometer", Target("api", API, "c-1", 1)),
        (f"{API}/v2.0/vehicles/c-1/permissions", Target("api", API, "c-1", 0)),
        (f"{API}/v2.0/vehicles/c-1/application", Target("api", API, "c-1", 0)),
        (f"{API}/v2.0/vehicles/c-1/webhooks/w-1", Target("api", API, "c-1", 0)),
        (f"{REAL.management_v3}/v3/subscriptions", Target("management_v3", REAL.management_v3)),
        ("https://elsewhere.example/v3/vehicles/c-1/signals", Target("other", "https://elsewhere.example")),
    ],
)
def test_url_determines_host_vehicle_and_billed_calls(url: str, target: Target) -> None:
    assert target_for(url) == target


def test_each_path_of_a_batch_is_billed() -> None:
    assert target_for(f"{API}/v2.0/vehicles/c-1/batch", parts=7).billed == 7


def test_hosts_below_one_origin_are_distinguished() -> None:
    origins = origins_at("http://127.0.0.1:9400")
    assert target_for(f"{origins.management_v3}/v3/webhooks", origins=origins).host == "management_v3"
    assert (
        target_for(f"{origins.management}/v2.0/management/connections", origins=origins).host == "management"
    )
    assert target_for(f"{origins.api}/v2.0/vehicles/c-1/battery", origins=origins).billed == 1
