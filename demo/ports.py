"""The demo's two TCP ports: read from the environment, and checked to be free before anything starts."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from demo.errors import DemoError

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """The demo's ports on the loopback address."""

    web: int = 8000
    simulator: int = 9400


def read(environ: Mapping[str, str]) -> Ports:
    """Reads `PORT` and `SIMULATOR_PORT`. Raises `DemoError` if one is not a port number or both are the same."""
    ports = Ports(
        web=_number(environ, "PORT", Ports.web), simulator=_number(environ, "SIMULATOR_PORT", Ports.simulator)
    )
    if ports.web == ports.simulator:
        raise DemoError(
            f"PORT and SIMULATOR_PORT are both {ports.web}. Give one another value: PORT={ports.web + 1} make demo"
        )
    return ports


def check_free(ports: Ports) -> None:
    """Raises `DemoError` if one of the ports is not available, with the process that uses it and a free port."""
    for name, port in (("PORT", ports.web), ("SIMULATOR_PORT", ports.simulator)):
        reason = _unavailable_reason(port)
        if reason:
            taken = {ports.web, ports.simulator}
            free_port = next(
                n
                for n in (*range(port + 1, 65_536), *range(8001, port))
                if n not in taken and not _unavailable_reason(n)
            )
            raise DemoError(f"Port {port} {reason}. Choose another: {name}={free_port} make demo")


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise DemoError(
            f"{name} is {text!r}, not a port from 1 to 65535. For example: {name}={default} make demo"
        )
    return int(text)


def _unavailable_reason(port: int) -> str:
    """Returns why the port is not available; empty if it is."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # ignores closed connections of the last run
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"is in use{_used_by(port)}"
            return f"can't be listened on ({error.strerror})"
    return ""


def _used_by(port: int) -> str:
    """Returns a text about the process that listens on `port`; empty if the system doesn't report it."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            matches = connection.laddr and connection.laddr.port == port
            if matches and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
