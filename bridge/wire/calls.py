"""HTTP for both GHL and the completion services: one call, one deadline, and whether the request was sent."""

from __future__ import annotations

import re
import threading
import time
import weakref
import zlib
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpcore
import httpx

from bridge.errors import OperatorMustFix, OutcomeUnknown, OutOfResources, ServiceDown, shortage_of
from bridge.wire.authorities import authorities
from bridge.wire.deadline import Connections, addresses
from bridge.wire.requests import build, encode, read_target

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from bridge.wire.deadline import Deadline, Resolve
    from bridge.wire.requests import Target, Upload

MAX_BYTES = 1024 * 1024
# Many servers drop an idle connection after 5 s (Node's default), and a request sent at that moment has an unknown outcome: a
# second is left for transmission. A shorter limit would close the look-up's connection before the post, after a completion.
KEEPALIVE_SECONDS = 4.0
# One for the current call, the others for reads by its `before_send`.
CONNECTIONS = 4

# A charset in this header by mistake is ignored.
NO_CODINGS = frozenset({"", "identity", "none", "utf-8", "utf8", "us-ascii", "iso-8859-1"})

EACH = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "ghl-bridge"}

LOST, UNSENT = "lost", "unsent"
TELLING = frozenset({401, 403, 408, 429})

_FAULTS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, also a redirect or an error. `headers` ignore case; `seconds` is the duration of the call."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class CutShort(OutcomeUnknown):
    """The answer's `status` arrived, but its body was cut, late, too large or undecodable."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Observe(Protocol):
    """Gets a report of each request: method, path, result, and duration (s).

    It ended with the class of its status (`2xx`), the status itself where that says more (401, 403, 408, 429), `lost` (it left
    and no readable answer came) or `unsent`.
    """

    def __call__(self, method: str, path: str, ended: str, seconds: float) -> None:
        """Record it; must be quick and raise nothing."""


class Wire:
    """Connections of each thread: with 300 requests in flight a shared pool took 15 ms of CPU for each, these took 1.3 ms.

    httpx' client is built on them; the client itself would follow redirects and keep cookies, which is not wanted. The default
    `ssl_context` trusts httpx' certificate authorities. `resolve` turns host and port into addresses; its errors, except OSError,
    are raised unchanged.
    """

    observe: Observe | None = None

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None, resolve: Resolve = addresses) -> None:
        self._resolve = resolve
        self._ssl_context = ssl_context or authorities()
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._opened: weakref.WeakSet[Connections] = weakref.WeakSet()

    def observed(self, observe: Observe) -> Wire:
        """The same wire with the same connections, which reports its calls."""
        seen = copy(self)
        seen.observe = observe
        return seen

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: object | None = None,
        form: Mapping[str, str] | None = None,
        upload: Upload | None = None,
        params: Mapping[str, str | int] | None = None,
        seconds: float,
        before_send: Callable[[], None] | None = None,
        before_connect: Callable[[], None] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Make one request within `seconds` in total, and read at most `max_bytes` of the answer's body.

        The body is either `json`, or `form` with an optional `upload`.

        `before_send` is called once a connection is open, right before the first byte; its errors are raised unchanged,
        and nothing was sent. `before_connect` is called in the same way before a connection is opened, if none is open.
        Redirects aren't followed. Error messages contain only the host and the fault.

        Raises:
            ServiceDown: the request was not sent.
            OutOfResources: it was not sent, because this machine lacks something.
            OutcomeUnknown: its sending began, and no readable answer came; CutShort if at least the status did.
            OperatorMustFix: the address is not a URL, or a header (a token) is invalid.
        """
        started = time.monotonic()
        connections = self._connections()
        departure = _Departure(before_send, before_connect, connections.deadline)
        target = read_target(url, params)
        content, typed = encode(json, form, upload)
        request = build(method, target, {**EACH, **typed, **headers}, content, seconds=seconds, trace=departure)
        try:
            with connections.deadline.within(seconds), closing(connections.send(request)) as response:
                known = httpx.Headers(response.headers)
                body = _read(response, known.get("Content-Encoding", "identity"), max_bytes, host=target.host)
        except httpcore.LocalProtocolError:  # its text holds the header's value
            raise OperatorMustFix(f"{target.host}: a header can't be sent; look for line breaks in the token") from None
        except CutShort:
            self._note(method, target, LOST, time.monotonic() - started)
            raise
        except _FAULTS as error:
            self._note(method, target, LOST if departure.begun else UNSENT, time.monotonic() - started)
            raise _sort(error, target.host, left=departure.begun) from None
        answer = Answer(status=response.status, headers=known, body=body, seconds=time.monotonic() - started)
        self._note(method, target, _kind_of(answer.status), answer.seconds)
        return answer

    def close(self) -> None:
        """Close the connections of all threads. No call may follow."""
        with self._lock:
            opened = list(self._opened)
        for connections in opened:
            connections.close()

    def _note(self, method: str, target: Target, ended: str, seconds: float) -> None:
        if self.observe:
            self.observe(method, target.path, ended, seconds)

    def _connections(self) -> Connections:
        if not hasattr(self._mine, "connections"):
            self._mine.connections = Connections(
                ssl_context=self._ssl_context, resolve=self._resolve, most=CONNECTIONS, keepalive_seconds=KEEPALIVE_SECONDS
            )
            with self._lock:
                self._opened.add(self._mine.connections)
        mine: Connections = self._mine.connections
        return mine


class _Departure:
    """httpcore's trace hook: runs the checks before a connection and before the first byte, and records that it was sent."""

    def __init__(
        self, before_send: Callable[[], None] | None, before_connect: Callable[[], None] | None, deadline: Deadline
    ) -> None:
        self._before_send = before_send
        self._before_connect = before_connect
        self._deadline = deadline
        self.begun = False

    def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        if self._before_connect and event == "connection.connect_tcp.started":
            self._before_connect()
        if event != "http11.send_request_headers.started":
            return
        if self._before_send:
            self._before_send()
        self._deadline.left(None, httpcore.WriteTimeout)  # it may have used up the time: then certainly nothing was sent
        self.begun = True


def _read(response: httpcore.Response, encoding: str, max_bytes: int, *, host: str) -> bytes:
    """Read the body. Raises CutShort: from here on, the status is known."""
    try:
        return _decode(_collect(response, max_bytes), encoding, max_bytes)
    except (*_FAULTS, _Unreadable) as error:
        raise CutShort(f"{host}: HTTP {response.status}, then {_kind(error)}", status=response.status) from None


class _Unreadable(Exception):
    """The reason why a received body can't be used."""


def _collect(response: httpcore.Response, max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > max_bytes:
            raise _Unreadable(f"more than {max_bytes} bytes")
    return bytes(body)


def _decode(raw: bytes, encoding: str, max_bytes: int) -> bytes:
    """Decode an unrequested compression, without unpacking more than `max_bytes`."""
    coding = encoding.strip().lower().removeprefix("x-")  # names have no case (RFC 9110, 8.4.1)
    if coding in NO_CODINGS:
        return raw
    if coding not in {"gzip", "deflate"}:
        raise _Unreadable("a body in an unknown encoding")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: tells gzip and zlib apart by itself
    try:
        body = unpacker.decompress(raw, max_bytes + 1)
    except zlib.error:
        raise _Unreadable("a body that can't be unpacked") from None
    if len(body) > max_bytes or not unpacker.eof:
        raise _Unreadable(f"more than {max_bytes} bytes unpacked, or a part of them")
    return body


def _kind_of(status: int) -> str:
    return str(status) if status in TELLING else f"{status // 100}xx"


def _sort(error: Exception, host: str, *, left: bool) -> ServiceDown | OutcomeUnknown | OutOfResources:
    if left:
        return OutcomeUnknown(f"{host}: {_kind(error)} after the request left")
    if lacking := shortage_of(error):
        return OutOfResources(lacking)
    return ServiceDown(f"{host}: {_kind(error)}, nothing was sent")


def _kind(error: Exception) -> str:
    """The name of a fault. Only the system's text about connecting is repeated; a protocol error's text quotes the server."""
    if isinstance(error, (httpcore.ConnectError, _Unreadable)):
        return str(error)
    return re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).lower()
