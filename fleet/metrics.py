"""/metrics for Prometheus: requests to Smartcar, token expiry and queued webhook deliveries.

Figures are read from PostgreSQL and Redis on each scrape, so any web process reports for the whole site. While Redis is
down, its figures are missing. No figure contains IDs, tokens or names of people or vehicles.
"""

import ipaddress
from collections.abc import Iterator
from itertools import accumulate

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from connect import applications
from connect.v2 import token_refresh
from smartcar_api.ratelimit import bucket, counters, health
from smartcar_api.ratelimit.breaker import STATES
from smartcar_api.ratelimit.middleware import bucket_id
from webhooks.models import EntryState, InboxEntry

# Beginnings of the headers that proxies add, in lower case.
_PROXY_HEADERS = (
    "x-forwarded",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster",
    "x-original",
    "true-client",
    "via",
    "cf-",
)
# Upper bounds of the expiry histogram, in days: the three warning levels, half a token's life, and a whole one.
DAYS = (2, 7, 14, 30, 60)
# Names before 0.2.0, exported for one more release: {new: old}.
OLD_NAMES = {
    "smartcar_token_expiry_days": "smartcar_token_days_left",
    "smartcar_tokens_expired": "smartcar_tokens_ended",
    "smartcar_requests_available": "smartcar_requests_left",
    "smartcar_circuit_breaker_state": "smartcar_breaker",
    "webhook_deliveries_queued": "inbox_waiting",
}


@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics. Requests from other machines need METRICS_TOKEN as bearer token; 403 without."""
    if not _is_allowed(request):
        return HttpResponse(
            "Metrics are available from this machine, or with METRICS_TOKEN as bearer token.\n",
            status=403,
            content_type="text/plain",
        )
    registry = CollectorRegistry()
    registry.register(_SiteCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_allowed(request: HttpRequest) -> bool:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and constant_time_compare(token, settings.METRICS_TOKEN):
        return True
    # Behind a proxy on this machine, all requests come from a loopback address. Those that passed a proxy name the
    # site as their host, or have a header of the proxy.
    host, _ = split_domain_port(request.headers.get("Host", "localhost").lower())
    return (
        _loopback(request.META.get("REMOTE_ADDR", ""))
        and (host == "localhost" or _loopback(host.strip("[]")))
        and not any(name.lower().startswith(_PROXY_HEADERS) for name in request.headers)
    )


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class _SiteCollector(Collector):
    """Reads all figures of the site when they are collected."""

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        for metric in _figures():
            yield metric
            if old_name := OLD_NAMES.get(metric.name):
                yield _renamed(metric, old_name)


def _renamed(metric: Metric, old_name: str) -> Metric:
    """A copy of the metric under the name it had before."""
    copy = Metric(old_name, f"Deprecated, use {metric.name}. {metric.documentation}", metric.type)
    copy.samples = [
        sample._replace(name=sample.name.replace(metric.name, old_name, 1)) for sample in metric.samples
    ]
    return copy


def _figures() -> Iterator[Metric]:
    yield from _token_expiry()
    yield _requests()
    yield _requests_available()
    yield _circuit_breakers()
    yield _queued_deliveries()


def _token_expiry() -> Iterator[Metric]:
    found = token_refresh.expiry_histogram(now=timezone.now())
    # `days[n]` counts pairs with n whole days left, so a little more than n.
    starts = (0, *DAYS)
    counts = accumulate(sum(found.days[least:most]) for least, most in zip(starts, DAYS, strict=False))
    buckets = [(str(most), float(count)) for most, count in zip(DAYS, counts, strict=True)]
    days = sum(number * count for number, count in enumerate(found.days))
    yield GaugeHistogramMetricFamily(
        "smartcar_token_expiry_days",
        "Whole days until v2 refresh tokens in use expire. After that, their drivers must reconnect.",
        buckets=[*buckets, ("+Inf", float(sum(found.days)))],
        gsum_value=float(days),
    )
    yield GaugeMetricFamily(
        "smartcar_tokens_expired", "v2 refresh tokens in use that have expired.", value=found.ended
    )


def _requests() -> Metric:
    family = CounterMetricFamily(
        "smartcar_requests",
        "Requests to Smartcar by host, outcome (HTTP status, or why a request was deferred or failed) and purpose.",
        labels=["host", "outcome", "purpose"],
    )
    for labels, count in sorted(counters.read_all().items()):
        family.add_metric(labels, count)
    return family


def _requests_available() -> Metric:
    family = GaugeMetricFamily(
        "smartcar_requests_available",
        "Requests that an application can send to Smartcar right now.",
        labels=["application"],
    )
    for application in applications.all_applications():
        available = bucket.left(bucket_id(application.credentials))
        if available is not None:
            family.add_metric([application.name], available)
    return family


def _circuit_breakers() -> Metric:
    family = GaugeMetricFamily(
        "smartcar_circuit_breaker_state",
        "1 for the current state of a Smartcar host's circuit breaker, 0 for the others.",
        labels=["host", "state"],
    )
    for host, current in health.breakers():
        for state in STATES:
            family.add_metric([host, state], float(state == current))
    return family


def _queued_deliveries() -> Metric:
    queued = InboxEntry.objects.filter(state=EntryState.WAITING).count()
    return GaugeMetricFamily(
        "webhook_deliveries_queued", "Webhook deliveries waiting to be processed.", value=queued
    )
