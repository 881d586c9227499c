"""A real TCP server in the place of GHL or a service: it follows a script, and stores what it was sent."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One received request."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Visit:
    """One connection, as the server sees it."""

    def __init__(self, sock: socket.socket, server: OtherSide) -> None:
        self._sock = sock
        self._server = server
        self._buffer = b""

    def request(self) -> Received | None:
        """Read a complete request; None if the client is gone."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", "0"))
        self._buffer = rest
        while len(self._buffer) < length:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        method, target, _ = first.split(" ")
        received = Received(method=method, target=target, headers=headers, body=body)
        self._server.requests.append(received)
        return received

    def read(self) -> bytes:
        """What one read brings."""
        return self._sock.recv(65536)

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def trickle(self, data: bytes, *, every: float) -> None:
        """Send byte by byte until all is sent, the client is gone or the server closes."""
        for index in range(len(data)):
            if self._server.over.wait(every):
                return
            self.send(data[index : index + 1])

    def hold(self) -> None:
        """Send nothing until the client is gone."""
        while self._more():
            pass

    def reset(self) -> None:
        """Close with a reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _more(self) -> bool:
        data = self._sock.recv(65536)
        self._server.bytes_received += len(data)
        self._buffer += data
        return bool(data)


class OtherSide:
    """A server on a free port of this machine; `behave` runs once per connection, in its own thread."""

    def __init__(self, behave: Callable[[Visit], None], *, ssl_context: ssl.SSLContext | None = None) -> None:
        self._behave = behave
        self._ssl_context = ssl_context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self.requests: list[Received] = []
        self.bytes_received = 0
        self.connections = 0
        self.ended = threading.Semaphore(0)
        self.over = threading.Event()

    @property
    def url(self) -> str:
        scheme = "https" if self._ssl_context else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in tuple(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in tuple(self._threads):
            thread.join(5)

    def _listen(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError):
            sock = self._ssl_context.wrap_socket(plain, server_side=True) if self._ssl_context else plain
            self._open.add(sock)
            with sock:
                self._behave(Visit(sock, self))
        self.ended.release()


def http(status: int, content: object = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Write an answer; anything but bytes is sent as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    fields = {"Content-Length": str(len(body)), **(headers or {})}
    return f"HTTP/1.1 {status} X\r\n".encode() + b"".join(f"{k}: {v}\r\n".encode() for k, v in fields.items()) + b"\r\n" + body


def answering(*answers: bytes) -> Callable[[Visit], None]:
    """Answer each request with the next of `answers`, then repeat the last; connections are kept alive."""
    left = list(answers)

    def behave(visit: Visit) -> None:
        while visit.request():
            visit.send(left.pop(0) if len(left) > 1 else left[0])

    return behave


def cutting(partial: bytes) -> Callable[[Visit], None]:
    """Read a request, send `partial`, and close."""

    def behave(visit: Visit) -> None:
        if visit.request():
            visit.send(partial)

    return behave
