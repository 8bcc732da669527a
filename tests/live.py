"""Hearing what is announced to open pages, as their reader does."""

import asyncio

from core.pubsub import Listener, News


def news(*, fleet_id: int, since: str) -> News:
    """What the fleet's reader hears that stands at this place."""

    async def heard() -> News:
        listener = Listener()
        try:
            return await listener.news(fleet_id=fleet_id, since=since)
        finally:
            await listener.close()

    return asyncio.run(heard())
