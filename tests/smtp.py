"""An SMTP server for tests, on real sockets, with configurable faults."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from enum import StrEnum, auto


class Fault(StrEnum):
    """The fault of one connection."""

    NONE = auto()
    SLOW = auto()
    UNAVAILABLE = auto()
    SENDER_REFUSED = auto()
    RECIPIENT_DEFERRED = auto()
    RECIPIENT_REFUSED = auto()
    MESSAGE_DEFERRED = auto()
    MESSAGE_REFUSED = auto()
    DROP_BEFORE_DATA = auto()
    DROP_AFTER_DATA = auto()
    DROP_ON_QUIT = auto()
    HANG_BEFORE_DATA = auto()
    HANG_AFTER_DATA = auto()


_REPLIES = {
    (Fault.SENDER_REFUSED, "MAIL"): "553 5.1.8 sender refused",
    (Fault.RECIPIENT_DEFERRED, "RCPT"): "450 4.2.1 try again, <nia@home.example>",
    (Fault.RECIPIENT_REFUSED, "RCPT"): "550 5.1.1 <nia@home.example> unknown, see https://mx.example/x?y",
}
_MESSAGE_REPLIES = {
    Fault.MESSAGE_DEFERRED: "451 4.3.0 try again",
    Fault.MESSAGE_REFUSED: "554 5.7.1 refused",
}


@dataclass
class SmtpServer:
    """Each connection takes one of `faults`; without any left, the server works normally.

    `accepted` contains the messages answered with 250, `received` all messages that arrived completely.
    """

    port: int = 0
    faults: list[Fault] = field(default_factory=list)
    accepted: list[Message] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    connections: int = 0
    hanging: threading.Event = field(default_factory=threading.Event)
    delay: float = 0.2
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self) -> Fault:
        with self.lock:
            self.connections += 1
            return self.faults.pop(0) if self.faults else Fault.NONE


class _DropError(Exception):
    """Raised to drop the connection."""


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"
    fault: Fault

    def handle(self) -> None:
        try:
            self._converse()
        except (_DropError, OSError):
            return

    def _converse(self) -> None:
        self.fault = self.server.state.next_fault()
        if self.fault is Fault.UNAVAILABLE:
            self._reply("421 4.3.2 not now")
            return
        self._reply("220 test")
        while line := self.rfile.readline():
            verb = line.split(b":")[0].split()[0].decode().upper()
            if verb == "DATA":
                self._data()
            elif verb == "QUIT":
                if self.fault is Fault.DROP_ON_QUIT:
                    return
                self._reply("221 bye")
                return
            else:
                self._reply(_REPLIES.get((self.fault, verb), "250 ok"))

    def _data(self) -> None:
        if self.fault is Fault.DROP_BEFORE_DATA:
            raise _DropError
        if self.fault is Fault.HANG_BEFORE_DATA:
            self._hang()
        self._reply("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _DropError
            lines.append(line[1:] if line.startswith(b"..") else line)
        self._store(message_from_bytes(b"".join(lines)))

    def _store(self, message: Message) -> None:
        state = self.server.state
        state.received.append(message)
        if self.fault is Fault.DROP_AFTER_DATA:
            raise _DropError
        if self.fault is Fault.HANG_AFTER_DATA:
            self._hang()
        reply = _MESSAGE_REPLIES.get(self.fault, "250 queued")
        if reply.startswith("250"):
            state.accepted.append(message)
        self._reply(reply)

    def _hang(self) -> None:
        """Send no response until the client disconnects."""
        self.server.state.hanging.set()
        while self.rfile.readline():
            pass
        raise _DropError

    def _reply(self, text: str) -> None:
        if self.fault is Fault.SLOW:
            time.sleep(self.server.state.delay)
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    state: SmtpServer


@contextmanager
def smtp_server() -> Iterator[SmtpServer]:
    """A running server on a free port."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.state = SmtpServer(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
        thread.start()
        yield server.state
        server.shutdown()
