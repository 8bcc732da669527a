"""`python -m tests.webhooks.faults.sender`: sends a story with the simulator's webhook sender, by Smartcar's rules.

Four attempts, at 0, 25, 75 and 175 s, with 15 s for an answer, on a clock that runs faster; then an event is dropped.
A plan comes in on standard input; a line of JSON goes out twice a second.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from simulator.clock import Clock
from simulator.deliveries import Delivery, WebhookSender
from simulator.fault_injection import Faults
from simulator.settings import Credentials, Settings
from tests.webhooks.faults.events import Story


@dataclass(frozen=True)
class Plan:
    """`rate` events a second are begun; `speed` is how much faster Smartcar's clock runs than ours."""

    uri: str
    rate: float
    speed: float
    story: dict[str, int]


async def send(plan: Plan) -> None:
    """Until each event is delivered or dropped."""
    sender = WebhookSender(
        settings=Settings(
            credentials=Credentials.from_environment(os.environ), delivery_timeout=15 / plan.speed
        ),
        clock=Clock(speed=plan.speed),
        faults=Faults(duplicates=0.1, disorder=0.2),
    )
    posting = asyncio.create_task(sender.run())
    sent: list[Delivery] = []
    reporting = asyncio.create_task(_report(sent))
    began = time.monotonic()
    for event in Story(**plan.story).events():
        while len(sent) > (time.monotonic() - began) * plan.rate:
            await asyncio.sleep(0.01)
        sent.append(
            sender.send(event, uri=plan.uri, webhook_id="", vehicle_id=None, user_id=None, event_type="")
        )
    while any(delivery.state == "waiting" for delivery in sent):
        await asyncio.sleep(0.2)
    await sender.settle()  # repeats of what came last
    reporting.cancel()
    posting.cancel()
    await sender.close()
    _say(sent, over=True)


async def _report(sent: list[Delivery]) -> None:
    while True:
        await asyncio.sleep(0.5)
        _say(sent, over=False)


def _say(sent: list[Delivery], *, over: bool) -> None:
    states = Counter(delivery.state for delivery in sent)
    attempts = [attempt for delivery in sent for attempt in delivery.attempts]
    refused = sum(attempt.status is None or attempt.status >= 300 for attempt in attempts)
    line: dict[str, Any] = {"delivered": states["delivered"], "dropped": states["dropped"], "over": over}
    line |= {"attempts": len(attempts), "failed_attempts": refused}
    line["repeated"] = sum(delivery.again for delivery in sent)
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def dump(plan: Plan) -> bytes:
    """For the process's standard input."""
    return json.dumps(asdict(plan)).encode()


if __name__ == "__main__":
    asyncio.run(send(Plan(**json.loads(sys.stdin.read()))))
