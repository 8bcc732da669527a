"""Counts of requests by host and outcome, kept in Redis for all processes; the metrics page shows them."""

from smartcar_api.ratelimit import redis_fallback

_KEY = f"{redis_fallback.PREFIX}:requests"


def add(*, host: str, outcome: str, purpose: str) -> None:
    """One more. `outcome` is the HTTP status, or what became of the request instead, such as NO_ROOM."""
    redis_fallback.run(lambda redis: redis.hincrby(_KEY, f"{host}|{outcome}|{purpose}", 1), alone=lambda: 0)


def read_all() -> dict[tuple[str, str, str], int]:
    """By host, outcome and purpose; nothing while Redis is gone."""
    held: dict[bytes | str, bytes | str] = redis_fallback.run(lambda redis: redis.hgetall(_KEY), alone=dict)
    found = {}
    for name, count in held.items():
        host, outcome, purpose = (name.decode() if isinstance(name, bytes) else name).split("|")
        found[host, outcome, purpose] = int(count)
    return found
