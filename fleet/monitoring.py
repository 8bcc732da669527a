"""Answers /healthz, /readyz and /metrics in front of all other middleware, on any host.

Load balancers, containers and Prometheus ask by address, which isn't among ALLOWED_HOSTS, and without https.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from fleet import health
from fleet.metrics import metrics

_VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": health.healthz,
    "/readyz": health.readyz,
    "/metrics": metrics,
}


class MonitoringMiddleware:
    """Responds to the monitoring endpoints, and passes other requests on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return _VIEWS.get(request.path_info, self._get_response)(request)
