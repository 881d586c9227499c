"""HTTP connections with one deadline for the whole call.

httpx limits each read and write separately, so an answer that arrives byte by byte exceeds its timeouts
(https://github.com/encode/httpx/issues/1450). Here each step gets the remaining time of the call.
"""

from __future__ import annotations

import math
import os
import queue
import socket
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore

from bridge.errors import OutOfResources, shortage_of
from bridge.wire.http1 import Http1Connection

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

# A send() of a piece this small is atomic; a larger one may restart its timeout for every part.
PIECE = 16 * 1024
# Zero would mean "don't wait", which causes another error than a timeout.
SHORTEST = 0.001

# Host and port to addresses, in the order in which to try them. Raises OSError and UnicodeError for an unknown name.
Resolve = Callable[[str, int], list[str]]


def addresses(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses."""
    return list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Deadline:
    """The deadline of the current call. Belongs to one thread."""

    def __init__(self) -> None:
        self._end = math.inf

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Set the deadline for the block; within another block it ends no later than that one."""
        outer = self._end
        self._end = min(outer, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._end = outer

    def left(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        """The seconds that a step may take, at most `timeout`. Raises `late` if no time is left."""
        left = min(math.inf if timeout is None else timeout, self._end - time.monotonic())
        if left <= 0:
            raise late("the deadline has passed")
        return left


class Connections:
    """One thread's HTTP/1.1 connections. Every step of a request ends at the `deadline` of the call.

    httpx' own transport accepts no network backend; httpcore's errors are raised unchanged.
    """

    def __init__(self, *, ssl_context: ssl.SSLContext, resolve: Resolve, most: int, keepalive_seconds: float) -> None:
        self.deadline = Deadline()
        backend = _Backend(self.deadline, resolve)
        self._pool = _Pool(backend, ssl_context=ssl_context, max_connections=most, keepalive_seconds=keepalive_seconds)
        weakref.finalize(self, self._pool.close)  # the connections are closed when the thread ends

    def send(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request with its body, and return the response before its body is read.

        Raises httpcore's errors.
        """
        return self._pool.handle_request(request)

    def close(self) -> None:
        """Close all connections, including those in use."""
        self._pool.close()


class _Pool(httpcore.ConnectionPool):
    """httpcore's pool, with connections that take less time for a request than httpcore's own."""

    def __init__(self, backend: _Backend, *, ssl_context: ssl.SSLContext, max_connections: int, keepalive_seconds: float) -> None:
        super().__init__(max_connections=max_connections)
        self._backend = backend
        self._tls = ssl_context
        self._tls.set_alpn_protocols(["http/1.1"])
        self._keepalive_seconds = keepalive_seconds

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        return Http1Connection(origin, connect=self._connect, keepalive_seconds=self._keepalive_seconds)

    def _connect(self, request: httpcore.Request) -> httpcore.NetworkStream:
        request.extensions["trace"]("connection.connect_tcp.started", {})
        origin, timeout = request.url.origin, request.extensions["timeout"]["connect"]
        host = origin.host.decode("ascii")
        stream = self._backend.connect_tcp(host, origin.port, timeout)
        return stream.start_tls(self._tls, host, timeout) if origin.scheme == b"https" else stream


class _Backend(httpcore.NetworkBackend):
    """Opens connections within a deadline that includes the name look-up."""

    def __init__(self, deadline: Deadline, resolve: Resolve) -> None:
        self._deadline = deadline
        self._resolve = resolve
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Try each address of the host with a share of the time, so that an unreachable address leaves time for the next."""
        seconds = self._deadline.left(timeout, httpcore.ConnectTimeout)
        end = time.monotonic() + seconds
        found = _look_up(self._resolve, host, port, seconds)
        fault: Exception = httpcore.ConnectError("the name has no address")
        for tried, address in enumerate(found):
            share = max((end - time.monotonic()) / (len(found) - tried), SHORTEST)
            try:
                stream = self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
            else:
                return _Stream(stream, self._deadline)
        raise fault


class _Stream(httpcore.NetworkStream):
    """A stream whose steps end at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE):
            self._inner.write(buffer[start : start + PIECE], self._deadline.left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)  # Python applies it to the whole handshake, not to each read
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _look_up(resolve: Resolve, host: str, port: int, seconds: float) -> list[str]:
    """Resolve a name in a separate thread, because getaddrinfo can't be interrupted; a thread that hangs is abandoned.

    Abandoned threads end with the system resolver's timeout, by default about ten seconds.
    """
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(resolve(host, port))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            found.put(error)

    try:
        threading.Thread(target=ask, name="look-up", daemon=True).start()
    except RuntimeError as error:
        raise OutOfResources("this machine is out of resources: no thread could be started") from error
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name look-up took too long") from None
    if isinstance(answer, OSError):
        _look_for_shortage()
    if isinstance(answer, (OSError, UnicodeError)):
        raise httpcore.ConnectError(str(answer)) from answer
    if isinstance(answer, Exception):
        raise answer
    return answer


def _look_for_shortage() -> None:
    """Raise OutOfResources if no descriptor is left, because the system's resolver would only report an unknown name."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        raise OutOfResources(shortage_of(error) or "this machine is out of resources") from error
