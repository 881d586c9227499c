"""An HTTP/1.1 connection for httpcore's pool, with llhttp (httptools) as parser instead of h11, which is written in Python.

A request leaves in one write, as a rule in one packet. The gain is in infra/bench/notes.md.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

import httpcore
from httptools import HttpParserError, HttpResponseParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READ_BYTES = 64 * 1024
MOST_HEAD_BYTES = 100 * 1024
FIRST_FINAL_STATUS = 200
# RFC 9110, 5.5 and 5.6.2: what follows a line break in a value would be a header of its own.
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")


class Http1Connection(httpcore.ConnectionInterface):
    """A connection to one origin, which `connect` opens for the first request. It serves one request after the other.

    The trace of a request gets `http11.send_request_headers.started` right before the first byte, as in httpcore.
    """

    def __init__(
        self,
        origin: httpcore.Origin,
        *,
        connect: Callable[[httpcore.Request], httpcore.NetworkStream],
        keepalive_seconds: float,
    ) -> None:
        self._origin = origin
        self._connect = connect
        self._keepalive_seconds = keepalive_seconds
        self._stream: httpcore.NetworkStream | None = None
        # Neither: it has not served a request yet.
        self._busy = self._idle = self._closed = False
        self._expires = 0.0
        self._taking = Lock()

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request and read the head of its answer. Raises httpcore's errors; then the connection is closed."""
        # The pool may give an idle connection to two threads at once; it finds another one for the second.
        with self._taking:
            if self._busy or self._closed:
                raise httpcore.ConnectionNotAvailable
            self._busy, self._idle = True, False
        try:
            stream = self._stream = self._stream or self._connect(request)
            answer = self._exchange(stream, request)
        except BaseException:
            self.close()
            raise
        extensions = {"network_stream": stream}
        return httpcore.Response(
            answer.status, headers=answer.headers, content=_Body(answer, self.release), extensions=extensions
        )

    def release(self, answer: _Answer) -> None:
        """The answer is read, or its rest is not wanted: then the connection can't serve another request."""
        if not answer.may_reuse:
            self.close()
        elif not self._closed:
            self._busy, self._idle = False, True
            self._expires = time.monotonic() + self._keepalive_seconds

    def close(self) -> None:
        """Close the connection, whatever it does."""
        self._closed, self._idle = True, False
        if self._stream:
            self._stream.close()

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        """Whether this connection is to that origin."""
        return origin == self._origin

    def is_available(self) -> bool:
        """Whether it may be given another request."""
        return self._idle

    def is_idle(self) -> bool:
        """Whether no request is in progress."""
        return self._idle

    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._closed

    def has_expired(self) -> bool:
        """Whether it was idle for too long, or the other side has closed it or sent something unasked."""
        if not self._idle or self._stream is None:
            return False
        return time.monotonic() > self._expires or bool(self._stream.get_extra_info("is_readable"))

    def info(self) -> str:
        """For httpcore's texts."""
        return f"{self._origin}, HTTP/1.1"

    def _exchange(self, stream: httpcore.NetworkStream, request: httpcore.Request) -> _Answer:
        timeouts: dict[str, float] = request.extensions["timeout"]
        data = _head(request) + b"".join(request.stream)  # type: ignore[arg-type] # of a call without asyncio
        request.extensions["trace"]("http11.send_request_headers.started", {})
        answer = _Answer(stream, timeouts["read"])
        # A server may answer and close before it has read a long body: the answer says why.
        with suppress(httpcore.WriteError):
            stream.write(data, timeouts["write"])
        answer.read_head()
        return answer


class _Answer:
    """What has been read of an answer; the parser calls the methods that begin with `on_`."""

    def __init__(self, stream: httpcore.NetworkStream, timeout: float) -> None:
        self._stream = stream
        self._timeout = timeout
        self._parser = HttpResponseParser(self)
        self._body: list[bytes] = []
        self._head_is_read = self._complete = self._is_last = False
        self._fault: Exception | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []

    @property
    def may_reuse(self) -> bool:
        """Whether it was read to its end, and the connection stays open and carries nothing else."""
        return self._complete and not self._is_last

    def read_head(self) -> None:
        """Read the status and headers of the final answer."""
        size = 0
        while not self._head_is_read:
            size += self._read_more()
            if size > MOST_HEAD_BYTES and not self._head_is_read:
                raise httpcore.RemoteProtocolError("the answer's headers are too long")

    def parts(self) -> Iterator[bytes]:
        """Read the body, part by part."""
        while True:
            yield from self._body
            self._body.clear()
            if self._fault:
                raise self._fault
            if self._complete:
                return
            self._read_more()

    def on_message_begin(self) -> None:
        """An answer begins; after the final one there must be none."""
        if self._complete:
            raise ValueError

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header is complete."""
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The headers are complete."""
        self.status = self._parser.get_status_code()
        self._head_is_read = self.status >= FIRST_FINAL_STATUS
        if not self._head_is_read:
            # Of an informational answer, such as 103.
            self.headers = []

    def on_body(self, body: bytes) -> None:
        """A part of the body arrived."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The answer is complete."""
        if self._head_is_read:
            self._complete, self._is_last = True, not self._parser.should_keep_alive()

    def _read_more(self) -> int:
        data = self._stream.read(READ_BYTES, self._timeout)
        if not data:
            self._end()
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._note(httpcore.RemoteProtocolError(type(error).__name__))
        return len(data)

    def _note(self, fault: Exception) -> None:
        """The received bytes can't be read. A status before them is still known."""
        if not self._head_is_read:
            raise fault
        if self._complete:
            # Unrequested data follows.
            self._is_last = True
        else:
            self._fault = fault

    def _end(self) -> None:
        """The other side has closed the connection: only an answer without a length may end this way."""
        if not self._head_is_read or any(name.lower() in {b"content-length", b"transfer-encoding"} for name, _ in self.headers):
            raise httpcore.RemoteProtocolError("the connection was closed before the answer was complete")
        self._complete = self._is_last = True


class _Body:
    """The body of an answer, for httpcore's response."""

    def __init__(self, answer: _Answer, release: Callable[[_Answer], None]) -> None:
        self._answer = answer
        self._release = release

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.parts()

    def close(self) -> None:
        """The body is read, or not wanted."""
        self._release(self._answer)


def _head(request: httpcore.Request) -> bytes:
    """The request line and headers. Raises LocalProtocolError for a header that can't be sent."""
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in request.headers):
        raise httpcore.LocalProtocolError("a header can't be sent")
    lines: list[Any] = [b"%b %b HTTP/1.1" % (request.method, request.url.target)]
    return b"\r\n".join([*lines, *(b"%b: %b" % header for header in request.headers), b"", b""])
