"""One REDIS_URL for all: Celery spells a Unix socket another way than redis-py does."""

from urllib.parse import parse_qs, urlsplit


def celery_broker_url(redis_url: str) -> str:
    """`unix:///path?db=0` as Celery's transport wants it; any other address is returned as it is."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"
