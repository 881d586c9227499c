"""A port that refuses connections until it is opened, and then forwards them."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

from bridge.cli import redis_server

if TYPE_CHECKING:
    from types import TracebackType


class Gate:
    """Closed, it refuses connections; open, it forwards each to `port`."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._port = redis_server.free_port()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The gate's address."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def open(self) -> None:
        """Accept connections from now on."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._run(self._listen, self._listener)

    def _listen(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                outside, _ = listener.accept()
                inside = socket.create_connection(("127.0.0.1", self._behind))
                self._run(_pump, outside, inside)
                self._run(_pump, inside, outside)

    def _run(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type] # each takes its own
        self._threads.append(thread)
        thread.start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for sock in (source, sink):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
