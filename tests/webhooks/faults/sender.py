"""`python -m tests.webhooks.faults.sender`: sends a scenario with the simulator's webhook sender, by Smartcar's rules.

Four attempts, at 0, 25, 75 and 175 s, with a timeout of 15 s, on an accelerated clock; then an event is dropped.
Reads a plan from standard input, and writes a line of JSON twice a second.
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
from tests.webhooks.faults.events import Scenario


@dataclass(frozen=True)
class Plan:
    """Starts `rate` events per second. `speed` is how much faster Smartcar's clock runs than real time."""

    uri: str
    rate: float
    speed: float
    scenario: dict[str, int]


async def send(plan: Plan) -> None:
    """Sends all events and returns when each is delivered or dropped."""
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
    for event in Scenario(**plan.scenario).events():
        while len(sent) > (time.monotonic() - began) * plan.rate:
            await asyncio.sleep(0.01)
        sent.append(
            sender.send(event, uri=plan.uri, webhook_id="", vehicle_id=None, user_id=None, event_type="")
        )
    while any(delivery.state == "waiting" for delivery in sent):
        await asyncio.sleep(0.2)
    await sender.settle()  # repetitions of the last events
    reporting.cancel()
    posting.cancel()
    await sender.close()
    _write_report(sent, over=True)


async def _report(sent: list[Delivery]) -> None:
    while True:
        await asyncio.sleep(0.5)
        _write_report(sent, over=False)


def _write_report(sent: list[Delivery], *, over: bool) -> None:
    states = Counter(delivery.state for delivery in sent)
    attempts = [attempt for delivery in sent for attempt in delivery.attempts]
    failed = sum(attempt.status is None or attempt.status >= 300 for attempt in attempts)
    line: dict[str, Any] = {"delivered": states["delivered"], "dropped": states["dropped"], "over": over}
    line |= {"attempts": len(attempts), "failed_attempts": failed}
    line["repeated"] = sum(delivery.again for delivery in sent)
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def dump(plan: Plan) -> bytes:
    """Serializes the plan for the standard input of the process."""
    return json.dumps(asdict(plan)).encode()


if __name__ == "__main__":
    asyncio.run(send(Plan(**json.loads(sys.stdin.read()))))
