"""Reading a fleet's stream of change events, as the live pages do."""

import asyncio

from core.pubsub import EventBatch, Subscriber


def read_events(*, fleet_id: int, since: str) -> EventBatch:
    """Returns the events of the fleet's stream after this offset."""

    async def read() -> EventBatch:
        subscriber = Subscriber()
        try:
            return await subscriber.read(fleet_id=fleet_id, since=since)
        finally:
            await subscriber.close()

    return asyncio.run(read())
