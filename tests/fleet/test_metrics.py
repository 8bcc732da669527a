"""/metrics: who can read it, and which figures it exports."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from accounts.models import Fleet
from connect.models import Connection
from connect.v2 import user_tokens
from fleet.metrics import OLD_NAMES
from smartcar_api import TokenPair
from smartcar_api.ratelimit import breaker, counters
from smartcar_api.ratelimit.breaker import FAILURES
from tests.smartcar import reset_budget
from vehicles.models import Vehicle
from webhooks.models import InboxEntry

pytestmark = pytest.mark.django_db
ELSEWHERE = "203.0.113.9"


@pytest.fixture(autouse=True)
def unused_budget() -> None:
    reset_budget()


def figures() -> dict[tuple[str, tuple[str, ...]], float]:
    """Values by name and label values; labels are in the order of their names."""
    text = Client().get("/metrics").content.decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_machine_itself_can_read_metrics() -> None:
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")


def test_other_machines_get_403() -> None:
    assert Client(REMOTE_ADDR=ELSEWHERE).get("/metrics").status_code == 403
    assert Client(REMOTE_ADDR="").get("/metrics").status_code == 403


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via", "CF-Ray"]
)
def test_requests_forwarded_by_a_local_proxy_get_403(header: str) -> None:
    assert Client(headers={header: ELSEWHERE}).get("/metrics").status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8000", 200), ("localhost:8000", 200), ("[::1]:8000", 200), ("fleet.example.com", 403)],
)
def test_requests_for_the_site_s_host_come_from_a_proxy(settings: Settings, host: str, status: int) -> None:
    settings.ALLOWED_HOSTS = ["fleet.example.com"]
    assert Client(headers={"Host": host}).get("/metrics").status_code == status


def test_the_metrics_token_gives_access(settings: Settings) -> None:
    settings.METRICS_TOKEN = "a token"
    far = Client(REMOTE_ADDR=ELSEWHERE)
    assert far.get("/metrics", headers={"Authorization": "Bearer a token"}).status_code == 200
    assert far.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 403
    assert far.get("/metrics").status_code == 403


def test_an_empty_token_gives_no_access(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert (
        Client(REMOTE_ADDR=ELSEWHERE).get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403
    )


def create_token_pair(fleet: Fleet, *, days_left: float) -> None:
    now = timezone.now()
    tokens = user_tokens.store(
        user_id="user",
        pair=TokenPair(
            access_token="secret-a",
            refresh_token="secret-r",
            access_expires_at=now,
            refresh_expires_at=now + timedelta(days=days_left),
        ),
    )
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=f"car {tokens.pk}")
    Connection.objects.create(
        fleet=fleet, vehicle=vehicle, smartcar_user_id="user", api_version="v2", mode="live", tokens=tokens
    )


def test_the_histogram_of_token_expiry(fleet: Fleet) -> None:
    for days in (-1, 1.5, 6.5, 6.5, 20.5, 59.5):
        create_token_pair(fleet, days_left=days)
    found = figures()
    name = "smartcar_token_expiry_days_bucket"
    assert [found[name, (most,)] for most in ("2", "7", "14", "30", "60", "+Inf")] == [1, 3, 3, 4, 5, 5]
    assert found["smartcar_token_expiry_days_gcount", ()] == 5
    assert found["smartcar_token_expiry_days_gsum", ()] == 1 + 6 + 6 + 20 + 59
    assert found["smartcar_tokens_expired", ()] == 1
    assert "secret" not in Client().get("/metrics").content.decode()


def test_requests_bucket_breakers_and_queued_deliveries(settings: Settings) -> None:
    settings.SMARTCAR_REQUEST_BUCKET = 120
    counters.add(host="vehicle", outcome="2xx", purpose="command")
    counters.add(host="vehicle", outcome="2xx", purpose="command")
    for _ in range(FAILURES):
        breaker.for_host(settings.SMARTCAR_ORIGINS["iam"]).record(up=False)
    InboxEntry.objects.create(received_at=timezone.now(), body=b"{}")
    found = figures()
    assert found["smartcar_requests_total", ("vehicle", "2xx", "command")] == 2
    assert [v for (name, _), v in found.items() if name == "smartcar_requests_available"] == [120]
    assert found["smartcar_circuit_breaker_state", ("iam", "open")] == 1
    assert found["smartcar_circuit_breaker_state", ("vehicle", "closed")] == 1
    assert found["webhook_deliveries_queued", ()] == 1
    reset_budget()


def test_old_names_are_exported_with_the_same_figures(fleet: Fleet, settings: Settings) -> None:
    settings.SMARTCAR_REQUEST_BUCKET = 120
    create_token_pair(fleet, days_left=6.5)
    InboxEntry.objects.create(received_at=timezone.now(), body=b"{}")
    found = figures()
    for new, old in OLD_NAMES.items():
        of_new = {
            (name.replace(new, old), labels): v for (name, labels), v in found.items() if name.startswith(new)
        }
        of_old = {key: v for key, v in found.items() if key[0].startswith(old)}
        assert of_old == of_new
        assert of_new
    assert (
        "# HELP inbox_waiting Deprecated, use webhook_deliveries_queued."
        in Client().get("/metrics").content.decode()
    )


def test_while_redis_is_down_the_other_figures_are_exported(settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    found = figures()
    assert found["webhook_deliveries_queued", ()] == 0
    assert not [name for name, _ in found if name == "smartcar_requests_total"]
