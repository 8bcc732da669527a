"""The baseline of `receive`: the Flask quick start of Smartcar's documentation, "Queue-based architecture".

As documented, it parses the body, pushes it to Redis for a worker, and responds. It checks no signature, and Redis
holds the last second only in memory. The documentation pushes through RQ, which takes several commands per job; here it
is one RPUSH of the raw body, which is faster than the documented way.
"""

from __future__ import annotations

import os

from flask import Flask, request
from redis import Redis

QUEUE = "quickstart"

app = Flask(__name__)
redis_connection = Redis.from_url(os.environ["REDIS_URL"])


@app.post("/webhooks/smartcar")
def webhook_handler() -> tuple[dict[str, str], int]:
    """Parses, pushes, and responds."""
    request.get_json()
    redis_connection.rpush(QUEUE, request.get_data())
    return {"status": "received"}, 200
