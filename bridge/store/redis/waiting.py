"""Limits how long a page or a command waits for a Redis that accepts connections but does not answer.

Each call has its own timeout, but a page makes many calls, each with retries. So the time without an answer is added up over all
calls, until there is an answer; when the limit is reached, the next call fails immediately.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from redis import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator

# With a smaller value a socket would not wait at all.
LEAST_SECONDS = 0.01


class NoAnswer(RedisError):
    """Redis did not answer within the limit; the call is not repeated."""


class WaitLimit:
    """The limit without any answer, and the limit in total from now on (seconds; None: no limit)."""

    def __init__(self, seconds: float, *, whole: float | None = None) -> None:
        self._seconds = seconds
        self.spent = 0.0
        self._until = None if whole is None else time.monotonic() + whole

    def left(self) -> float:
        """The remaining seconds. Raises NoAnswer if there are none."""
        left = self._seconds - self.spent
        if self._until is not None:
            left = min(left, self._until - time.monotonic())
        if left < LEAST_SECONDS:
            raise NoAnswer(f"it has not answered for {self._seconds:.1f} s")
        return left

    def waited(self, seconds: float) -> None:
        """Count this time (s) as waited without an answer."""
        self.spent += seconds

    def answered(self) -> None:
        """Start again, because an answer arrived."""
        self.spent = 0.0


_limit: ContextVar[WaitLimit | None] = ContextVar("limit", default=None)


def wait_at_most(seconds: float) -> None:
    """Set the limit (s) from here on, in this context and in threads that it starts with anyio."""
    _limit.set(WaitLimit(seconds))


@contextmanager
def waiting_at_most(seconds: float, *, whole: float | None = None) -> Iterator[None]:
    """Set the limit while the block runs."""
    before = _limit.set(WaitLimit(seconds, whole=whole))
    try:
        yield
    finally:
        _limit.reset(before)


class LimitedWait:
    """A mixin for the library's connections: it waits no longer than the limit of the calling context."""

    _sock: Any
    _socket_timeout: float | None
    _socket_connect_timeout: float | None

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Like the library's method. Raises NoAnswer too."""
        with self._waiting():
            super().send_packed_command(command, check_health)  # type: ignore[misc] # of the class beside it

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Like the library's method. Raises NoAnswer too."""
        with self._waiting() as limit:
            answer = super().read_response(*args, **options)  # type: ignore[misc] # likewise
        if limit:
            limit.answered()
        return answer

    def _connect(self) -> Any:
        own = self._socket_timeout, self._socket_connect_timeout
        with self._waiting():
            try:
                self._socket_timeout, self._socket_connect_timeout = map(_shortened, own)
                return super()._connect()  # type: ignore[misc] # likewise
            finally:
                self._socket_timeout, self._socket_connect_timeout = own

    @contextmanager
    def _waiting(self) -> Iterator[WaitLimit | None]:
        """Set the socket's timeout, because another user of this connection may have another limit."""
        limit = _limit.get()
        seconds = _shortened(self._socket_timeout)
        if self._sock and self._sock.gettimeout() != seconds:
            self._sock.settimeout(seconds)
        began, spent = time.monotonic(), limit.spent if limit else 0.0
        try:
            yield limit
        except (RedisTimeoutError, TimeoutError):
            if limit and limit.spent == spent:  # a nested call has not counted it yet
                limit.waited(time.monotonic() - began)
            raise


def _shortened(seconds: float | None) -> float | None:
    limit = _limit.get()
    if limit is None:
        return seconds
    left = limit.left()
    return left if seconds is None else min(seconds, left)
