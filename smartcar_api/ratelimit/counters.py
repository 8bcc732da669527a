"""Counts of requests by host, outcome and purpose, stored in Redis for all processes and exported by /metrics."""

from smartcar_api.ratelimit import redis_fallback

_KEY = f"{redis_fallback.PREFIX}:requests"


def add(*, host: str, outcome: str, purpose: str) -> None:
    """Counts a request. `outcome` is the HTTP status, or why there is none, such as NO_ROOM."""
    redis_fallback.run(
        lambda redis: redis.hincrby(_KEY, f"{host}|{outcome}|{purpose}", 1), fallback=lambda: 0
    )


def read_all() -> dict[tuple[str, str, str], int]:
    """Returns the counts by host, outcome and purpose; empty without Redis."""
    stored: dict[bytes | str, bytes | str] = redis_fallback.run(
        lambda redis: redis.hgetall(_KEY), fallback=dict
    )
    found = {}
    for name, count in stored.items():
        host, outcome, purpose = (name.decode() if isinstance(name, bytes) else name).split("|")
        found[host, outcome, purpose] = int(count)
    return found
