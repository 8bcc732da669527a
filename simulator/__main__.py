"""Serve the simulated Smartcar until SIGTERM or SIGINT: ``python -m simulator``."""

import asyncio
import os
import signal
import socket
import sys

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from simulator.app import create_app
from simulator.engine import Engine
from simulator.settings import Settings, from_command_line
from simulator.simulation import create_simulation
from simulator.state_store import StateStore


def _check_free(settings: Settings) -> None:
    """Exit with a one-line message if the port is in use."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as taken:
            sys.exit(f"simulator: cannot listen on {settings.host}:{settings.port}: {taken.strerror}")


async def serve(settings: Settings) -> None:
    """Serve until a signal requests a stop."""
    simulation = create_simulation(settings)
    state_store = StateStore(simulation, settings.state) if settings.state else None
    if state_store is not None:
        state_store.restore()
    # Plan every vehicle's day before serving, because that takes a while for a large fleet.
    simulation.fleet.advance(now=simulation.now())
    app = create_app(simulation, engine=Engine(simulation, state_store))
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_level=LogLevels.error,
        http1_settings=HTTP1Settings(keep_alive=True),
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    sys.stdout.write(
        f"simulator: {settings.origin} with {settings.vehicles} vehicles, control API at {settings.origin}/control/\n"
    )
    sys.stdout.flush()
    await server.serve()
    sys.stdout.flush()
    # The server's threads may still be closing connections, and shutting down the interpreter meanwhile can abort it.
    os._exit(0)


def main() -> None:
    """Run the simulator with the command line's settings."""
    settings = from_command_line()
    _check_free(settings)
    try:
        asyncio.run(serve(settings))
    except ValueError as error:
        sys.exit(f"simulator: {error}")


if __name__ == "__main__":
    main()
