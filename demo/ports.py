"""The two TCP ports of the demo: read from the environment, checked to be free before anything starts."""

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
    """Where the demo listens on the loopback address."""

    web: int = 8000
    simulator: int = 9400


def read(environ: Mapping[str, str]) -> Ports:
    """`PORT` and `SIMULATOR_PORT`, or their defaults. Raises `DemoError` when one is no port or both are the same."""
    ports = Ports(
        web=_number(environ, "PORT", Ports.web), simulator=_number(environ, "SIMULATOR_PORT", Ports.simulator)
    )
    if ports.web == ports.simulator:
        raise DemoError(
            f"PORT and SIMULATOR_PORT are both {ports.web}. Give one another value: PORT={ports.web + 1} make demo"
        )
    return ports


def check_free(ports: Ports) -> None:
    """Raises `DemoError`, naming the port, who has it and the mend, when one of the ports can't be listened on."""
    for name, port in (("PORT", ports.web), ("SIMULATOR_PORT", ports.simulator)):
        reason = _why_not(port)
        if reason:
            taken = {ports.web, ports.simulator}
            another = next(
                n
                for n in (*range(port + 1, 65_536), *range(8001, port))
                if n not in taken and not _why_not(n)
            )
            raise DemoError(f"Port {port} {reason}. Choose another: {name}={another} make demo")


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise DemoError(
            f"{name} is {text!r}, not a port from 1 to 65535. For example: {name}={default} make demo"
        )
    return int(text)


def _why_not(port: int) -> str:
    """Why nothing can listen on `port`; empty when something can."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # closed connections of the last run don't count
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"is in use{_by_whom(port)}"
            return f"can't be listened on ({error.strerror})"
    return ""


def _by_whom(port: int) -> str:
    """The process that listens on `port`, in words; empty where the system doesn't tell us."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            here = connection.laddr and connection.laddr.port == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
