"""The simulator's control API, for actions of a driver or of Smartcar."""

from typing import Any

import httpx


def switch(simulator_url: str, what: str, **body: Any) -> None:
    """`POST /control/<what>`, for example troubles or disconnect (docs/simulator.md)."""
    httpx.post(f"{simulator_url}/control/{what}", json=body, timeout=30).raise_for_status()
