"""/metrics for Prometheus: the request budget, token lifetimes and the inbox, gathered when asked for.

What is counted lies where all processes write it, in PostgreSQL and Redis, so any web process can answer for the
site. With Redis gone its figures are left out. Ids, tokens and names are in none of them.
"""

import ipaddress
from collections.abc import Iterator
from itertools import accumulate

from django.conf import settings
from django.http import HttpRequest, HttpResponse
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
from smartcar_api.ratelimit.middleware import bucket_of
from webhooks.models import EntryState, InboxEntry

# Upper ends of the histogram of days left: those warned of, half of the 60, and the rest.
DAYS = (2, 7, 14, 30, 60)


@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for this machine itself or whoever sends METRICS_TOKEN; 403 for others."""
    if not _may_read(request):
        return HttpResponse(
            "Metrics are for this machine itself, or with METRICS_TOKEN as a bearer token.\n",
            status=403,
            content_type="text/plain",
        )
    registry = CollectorRegistry()
    registry.register(_Site())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and constant_time_compare(given, settings.METRICS_TOKEN):
        return True
    # Behind a proxy on this machine everybody seems to come from here.
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"))
    return not forwarded and _loopback(request.META.get("REMOTE_ADDR", ""))


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class _Site(Collector):
    """All figures of the site, read when they are asked for."""

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield from _lifetimes()
        yield _requests()
        yield _room()
        yield _breakers()
        yield _inbox()


def _lifetimes() -> Iterator[Metric]:
    found = token_refresh.expiry_histogram(now=timezone.now())
    # `days[n]` are pairs with n whole days, so a little more than n.
    starts = (0, *DAYS)
    counts = accumulate(sum(found.days[least:most]) for least, most in zip(starts, DAYS, strict=False))
    buckets = [(str(most), float(count)) for most, count in zip(DAYS, counts, strict=True)]
    days = sum(number * count for number, count in enumerate(found.days))
    yield GaugeHistogramMetricFamily(
        "smartcar_token_days_left",
        "Whole days that v2 token pairs in use have to live; then their drivers must connect again.",
        buckets=[*buckets, ("+Inf", float(sum(found.days)))],
        gsum_value=float(days),
    )
    yield GaugeMetricFamily(
        "smartcar_tokens_ended", "v2 token pairs in use that were not renewed in time.", value=found.ended
    )


def _requests() -> Metric:
    family = CounterMetricFamily(
        "smartcar_requests",
        "Requests to Smartcar by host, outcome (HTTP status, or why it was put off or failed) and purpose.",
        labels=["host", "outcome", "purpose"],
    )
    for labels, count in sorted(counters.read_all().items()):
        family.add_metric(labels, count)
    return family


def _room() -> Metric:
    family = GaugeMetricFamily(
        "smartcar_requests_left", "Requests left in an application's bucket.", labels=["application"]
    )
    for application in applications.all_applications():
        left = bucket.left(bucket_of(application.credentials))
        if left is not None:
            family.add_metric([application.name], left)
    return family


def _breakers() -> Metric:
    family = GaugeMetricFamily(
        "smartcar_breaker", "1 for the state that a host's breaker is in.", labels=["host", "state"]
    )
    for host, current in health.breakers():
        for state in STATES:
            family.add_metric([host, state], float(state == current))
    return family


def _inbox() -> Metric:
    waiting = InboxEntry.objects.filter(state=EntryState.WAITING).count()
    return GaugeMetricFamily("inbox_waiting", "Messages that wait to be processed.", value=waiting)
