"""How the budget stands at the moment: what is left of the bucket, and which of Smartcar's hosts answer."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from smartcar_api.ratelimit import breaker, bucket
from smartcar_api.ratelimit.routes import CALLED_HOSTS

# What pages call the hosts.
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
    """What is left of an application's bucket; `left` is None without a limit, or when nobody can tell."""

    left: int | None
    most: int
    per_minute: float


def capacity(*, application: str) -> Capacity:
    """The bucket of this application, as of now."""
    size = bucket.Size.of_settings()
    return Capacity(left=bucket.left(application), most=size.most, per_minute=size.per_minute)


def breakers() -> Iterator[tuple[str, str]]:
    """Each host of Smartcar's that is called, by its name in the settings, and the state of its breaker."""
    for host in CALLED_HOSTS:
        yield host, breaker.of_host(settings.SMARTCAR_ORIGINS[host]).circuit.current_state


def hosts_down() -> list[str]:
    """In words, the hosts that are left alone because they do not answer."""
    return [HOST_NAMES[host] for host, state in breakers() if state != breaker.STATES[0]]
