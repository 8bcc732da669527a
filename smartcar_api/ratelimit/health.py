"""The current state of the request budget: available requests, and which of Smartcar's hosts are down."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from smartcar_api.ratelimit import breaker, bucket
from smartcar_api.ratelimit.routes import CALLED_HOSTS

# The names of the hosts on pages.
HOST_NAMES = {
    "auth": "v2 tokens",
    "api": "v2 calls",
    "management": "v2 management",
    "iam": "v3 tokens",
    "vehicle": "v3 calls",
    "management_v3": "v3 management",
    "compatibility": "compatibility",
}


@dataclass(frozen=True, slots=True)
class Capacity:
    """The state of an application's bucket. `left` is None without a limit or without Redis."""

    left: int | None
    most: int
    per_minute: float


def capacity(*, application: str) -> Capacity:
    """Returns the current state of this application's bucket."""
    size = bucket.Size.from_settings()
    return Capacity(left=bucket.left(application), most=size.most, per_minute=size.per_minute)


def breakers() -> Iterator[tuple[str, str]]:
    """Yields each host that we call, by its name in the settings, and the state of its breaker."""
    for host in CALLED_HOSTS:
        yield host, breaker.for_host(settings.SMARTCAR_ORIGINS[host]).circuit.current_state


def hosts_down() -> list[str]:
    """Returns the names of the hosts that are currently considered down."""
    return [HOST_NAMES[host] for host, state in breakers() if state != breaker.STATES[0]]
