"""Starting and stopping the load process, and reading its figures."""

import asyncio
import sys
from contextlib import suppress
from typing import Any

import orjson

from simulator.load.plan import Plan


class Load:
    """The load process, if one runs."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.figures: dict[str, Any] = {}

    @property
    def running(self) -> bool:
        """Whether events are being sent."""
        return self._process is not None and self._process.returncode is None

    async def start(self, plan: Plan) -> None:
        """Start to send. A running load is stopped first."""
        await self.stop()
        self.figures = {}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "simulator.load",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        if self._process.stdin is None:
            raise RuntimeError("the load process has no standard input")
        self._process.stdin.write(plan.dump() + b"\n")
        await self._process.stdin.drain()
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            self.figures = orjson.loads(line)
        await process.wait()

    async def stop(self) -> None:
        """Stop sending and wait for the last figures."""
        if self._process is None:
            return
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
        if self._reading is not None:
            await self._reading
        self._process = None
