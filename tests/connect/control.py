"""The simulator's control API, for what a driver or Smartcar does meanwhile."""

from typing import Any

import httpx


def switch(simulator_url: str, what: str, **body: Any) -> None:
    """`POST /control/<what>`, for example troubles or disconnect (docs/simulator.md)."""
    httpx.post(f"{simulator_url}/control/{what}", json=body, timeout=30).raise_for_status()
