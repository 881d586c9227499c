"""HTTP connections on which every step ends when the whole call must.

httpx bounds each read and write alone, so an answer that trickles in byte by byte outlives its timeouts
(https://github.com/encode/httpx/issues/1450). Here each step gets what is left of the call.
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

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

# One send() of a piece this small either goes out whole or waits; a larger one may begin its timeout anew for every part.
PIECE = 16 * 1024
# Zero would mean "don't wait at all", which is another fault than being late.
SHORTEST = 0.001

# Host and port to addresses, in the order in which they are tried. Raises OSError and UnicodeError for a name that has none.
Resolve = Callable[[str, int], list[str]]


def addresses(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses."""
    return list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Deadline:
    """The moment at which the call under way must be over. Belongs to one thread."""

    def __init__(self) -> None:
        self._end = math.inf

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound what happens inside; a call made in the middle of another one ends no later than that."""
        outer = self._end
        self._end = min(outer, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._end = outer

    def left(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        """Seconds that a step may take, at most `timeout`. Raises `late` when there are none."""
        left = min(math.inf if timeout is None else timeout, self._end - time.monotonic())
        if left <= 0:
            raise late("the deadline has passed")
        return left


class Connections:
    """One thread's HTTP/1.1 connections. Every step of a request ends when the whole call must (`deadline`).

    httpx' own transport takes no network backend; httpcore's errors come out as they are.
    """

    def __init__(self, *, ssl_context: ssl.SSLContext, resolve: Resolve, most: int, keepalive_seconds: float) -> None:
        self.deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=most,
            keepalive_expiry=keepalive_seconds,
            network_backend=_Backend(self.deadline, resolve),
        )
        weakref.finalize(self, self._pool.close)  # a thread that ends takes its connections along

    def send(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request whose body is in memory, and leave the answer's body to be read.

        Raises httpcore's errors; RemoteProtocolError too for an answer that had come before its request left.
        """
        response = self._pool.handle_request(request)
        stream = response.extensions["network_stream"]
        if isinstance(stream, _Stream) and not stream.heard:
            # Whoever answered twice has said this of an earlier request: httpcore keeps it and takes it for this one's answer.
            response.close()
            raise httpcore.RemoteProtocolError("an answer came before its request")
        return response

    def close(self) -> None:
        """Close all connections, those in use too."""
        self._pool.close()


class _Backend(httpcore.NetworkBackend):
    """Opens connections under a deadline, name look-up included."""

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
        """Try each address of the host, sharing out the time, so that one dead address leaves some for the next."""
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
    """`heard`: something was read since the last request was written."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline
        self.heard = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.heard = True
        return self._inner.read(max_bytes, self._deadline.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.heard = False
        for start in range(0, len(buffer), PIECE):
            self._inner.write(buffer[start : start + PIECE], self._deadline.left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout, httpcore.ConnectTimeout)  # Python bounds the whole handshake by it, not each read
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _look_up(resolve: Resolve, host: str, port: int, seconds: float) -> list[str]:
    """Resolve a name in a thread of its own, since getaddrinfo can't be interrupted: one that hangs is left behind.

    Those left behind end with the system resolver's own timeout, some ten seconds by default.
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
    """Raise OutOfResources if no descriptor is left: the system's resolver would only say that it doesn't know the name."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        raise OutOfResources(shortage_of(error) or "this machine is out of resources") from error
