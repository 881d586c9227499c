"""HTTP for both GHL and the completion services: one call, one deadline, and the knowledge whether the request left."""

from __future__ import annotations

import json as json_
import re
import threading
import time
import weakref
import zlib
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import httpcore
import httpx

from bridge.errors import OperatorMustFix, OutcomeUnknown, Retryable
from bridge.wire.deadline import Deadline, DeadlineTransport, addresses

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from bridge.wire.deadline import Resolve

MAX_BYTES = 1024 * 1024
CONNECT_SECONDS = 10.0
# Many servers drop an idle connection after 5 s (Node's default), and a request sent into that moment has an unknown outcome: a
# second is left for its way. Shorter, and the post would find the look-up's connection gone, since a completion lies between.
KEEPALIVE_SECONDS = 4.0
# One for the call under way, the others for reads made by its `before_send`.
CONNECTIONS = 4

EACH = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "ghl-bridge"}

LOST, UNSENT = "lost", "unsent"
TELLING = frozenset({401, 403, 408, 429})

_FAULTS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, redirects and errors included. `headers` are found in any case; `seconds` is what the call took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class CutShort(OutcomeUnknown):
    """The answer's `status` came, its body not whole: cut, too late, too large or undecodable."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Observe(Protocol):
    """Told of each request: method, path, how it ended and how long it took (s).

    It ended with the class of its status (`2xx`), the status itself where that says more (401, 403, 408, 429), `lost` (it left
    and no readable answer came) or `unsent`.
    """

    def __call__(self, method: str, path: str, ended: str, seconds: float) -> None:
        """Take note; it must be quick and raise nothing."""


class Wire:
    """Transports, one a thread: with 300 requests in flight a shared one took 15 ms of CPU for each, these took 1.3 ms.

    httpx' client around them would follow redirects and keep cookies, neither of which may be. The default `ssl_context` trusts
    the certificate authorities that httpx brings along. `resolve` turns host and port into addresses; what it raises, OSError
    aside, comes out of the call.
    """

    observe: Observe | None = None

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None, resolve: Resolve = addresses) -> None:
        self._resolve = resolve
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._transports: weakref.WeakSet[DeadlineTransport] = weakref.WeakSet()

    def observed(self, observe: Observe) -> Wire:
        """The same wire with the same connections, whose calls somebody is told of."""
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
        params: Mapping[str, str | int] | None = None,
        seconds: float,
        before_send: Callable[[], None] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Make one request, within `seconds` altogether, and read at most `max_bytes` of the answer's body.

        What is sent is either `json` or `form`.

        `before_send` is called once a connection stands, right before the first byte; what it raises comes out unchanged,
        and nothing was sent. Redirects aren't followed. Messages of errors name the host and the fault, nothing else.

        Raises:
            Retryable: the request never left.
            OutcomeUnknown: it began to leave, and no readable answer came; CutShort if at least its status did.
            OperatorMustFix: the address is no URL, or a header (a token) can't be sent as it is.
        """
        started = time.monotonic()
        transport, deadline = self._transport()
        departure = _Departure(before_send, deadline)
        content, typed = _content(json, form)
        request = _build(method, url, headers={**EACH, **typed, **headers}, content=content, params=params, seconds=seconds)
        request.extensions["trace"] = departure
        try:
            with deadline.within(seconds), closing(transport.handle_request(request)) as response:
                body = _read(response, max_bytes, host=request.url.host)
        except httpcore.LocalProtocolError:  # its text holds the header's value
            raise OperatorMustFix(f"{request.url.host}: a header can't be sent; look for line breaks in the token") from None
        except CutShort:
            self._note(request, LOST, time.monotonic() - started)
            raise
        except _FAULTS as error:
            self._note(request, LOST if departure.begun else UNSENT, time.monotonic() - started)
            raise _sort(error, request.url.host, left=departure.begun) from None
        answer = Answer(status=response.status_code, headers=response.headers, body=body, seconds=time.monotonic() - started)
        self._note(request, _kind_of(answer.status), answer.seconds)
        return answer

    def close(self) -> None:
        """Close the connections of all threads. No call may follow."""
        with self._lock:
            transports = list(self._transports)
        for transport in transports:
            transport.close()

    def _note(self, request: httpx.Request, ended: str, seconds: float) -> None:
        if self.observe:
            self.observe(request.method, request.url.path, ended, seconds)

    def _transport(self) -> tuple[DeadlineTransport, Deadline]:
        if not hasattr(self._mine, "transport"):
            deadline = Deadline()
            self._mine.transport = _open(self._ssl_context, self._resolve, deadline), deadline
            with self._lock:
                self._transports.add(self._mine.transport[0])
        mine: tuple[DeadlineTransport, Deadline] = self._mine.transport
        return mine


class _Departure:
    """httpcore's trace hook: the last word before the first byte, and the note that it was given."""

    def __init__(self, before_send: Callable[[], None] | None, deadline: Deadline) -> None:
        self._before_send = before_send
        self._deadline = deadline
        self.begun = False

    def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        if event != "http11.send_request_headers.started":
            return
        if self._before_send:
            self._before_send()
        self._deadline.left(None, httpcore.WriteTimeout)  # it may have used up the time: then nothing leaves, for certain
        self.begun = True


def _open(ssl_context: ssl.SSLContext, resolve: Resolve, deadline: Deadline) -> DeadlineTransport:
    return DeadlineTransport(
        deadline, ssl_context=ssl_context, resolve=resolve, max_connections=CONNECTIONS, keepalive_expiry=KEEPALIVE_SECONDS
    )


def _content(json: object | None, form: Mapping[str, str] | None) -> tuple[bytes | None, dict[str, str]]:
    """The body and its type. A lone surrogate in a text (half an emoji, cut by somebody) is sent as a question mark."""
    if form is not None:
        return urlencode(form, errors="replace").encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if json is None:
        return None, {}
    return json_.dumps(json, ensure_ascii=False).encode("utf-8", "replace"), {"Content-Type": "application/json"}


def _build(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None,
    params: Mapping[str, str | int] | None,
    seconds: float,
) -> httpx.Request:
    timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)).as_dict()
    try:
        request = httpx.Request(method, url, headers=headers, params=params, content=content, extensions={"timeout": timeout})
    except (httpx.InvalidURL, UnicodeError):
        raise OperatorMustFix("the address or a header (a token) of a request is not valid: look for stray characters") from None
    if request.url.scheme not in {"http", "https"} or not request.url.host:
        raise OperatorMustFix("the address of a request must begin with https:// (or http://) and a host")
    return request


def _read(response: httpx.Response, max_bytes: int, *, host: str) -> bytes:
    """Read the body. Raises CutShort: from here on, the status is known."""
    try:
        return _decode(_collect(response, max_bytes), response.headers.get("Content-Encoding", "identity"), max_bytes)
    except (*_FAULTS, _Unreadable) as error:
        raise CutShort(f"{host}: HTTP {response.status_code}, then {_kind(error)}", status=response.status_code) from None


class _Unreadable(Exception):
    """Why a body that came can't be used."""


def _collect(response: httpx.Response, max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise _Unreadable(f"more than {max_bytes} bytes")
    return bytes(body)


def _decode(raw: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undo a compression that was not asked for, without unpacking more than `max_bytes`."""
    if encoding == "identity":
        return raw
    if encoding not in {"gzip", "deflate"}:
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


def _sort(error: Exception, host: str, *, left: bool) -> Retryable | OutcomeUnknown:
    if left:
        return OutcomeUnknown(f"{host}: {_kind(error)} after the request left")
    return Retryable(f"{host}: {_kind(error)}, nothing was sent")


def _kind(error: Exception) -> str:
    """Name a fault. Only the system's own words on connecting are repeated: a protocol error's text quotes the other side."""
    if isinstance(error, (httpcore.ConnectError, _Unreadable)):
        return str(error)
    return re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).lower()
