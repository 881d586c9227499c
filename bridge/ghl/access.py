"""What a request to GHL needs: the token to send, room in the location's rate limit, and somebody to tell how it went."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

from bridge.errors import ServiceDown, TokenRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.ghl.rate_limit_headers import Limits

T = TypeVar("T")

# Reads are all that may be done twice. Posts may fail while reads pass, and only a post tells that they are back.
Direction: TypeAlias = Literal["reads", "posts"]


class Need(IntEnum):
    """What a request is for, by rising urgency. Each may use the location's budget up to this part of it, in percent."""

    SWEEP = 50
    LOOKUP = 75
    GUARD = 90
    POST = 100


class Bearer(Protocol):
    """Where a token comes from."""

    def current(self) -> str:
        """The token to show. Raises OperatorMustFix when there is none, TokenRefused and Retryable when it can't be renewed."""
        ...

    def refused(self, token: str) -> str | None:
        """Another token, since GHL calls this one invalid; None when there is no other. Raises as `current`."""
        ...


class Budget(Protocol):
    """How many requests GHL takes from a location; all processes share it."""

    def acquire(self, need: Need) -> None:
        """Take one request. Raises BudgetExhausted when there is no room for one of this urgency."""
        ...

    def learn_limits(self, limits: Limits) -> None:
        """Note what an answer told of the budget."""
        ...

    def rate_limited(self, retry_after: float | None, limits: Limits) -> None:
        """GHL answered 429, asking for a wait of so many seconds or not saying: let the whole location wait."""
        ...


class Breaker(Protocol):
    """Is told of each request whether GHL itself was up: it breaks the circuit of all locations when GHL is down."""

    def passed(self, direction: Direction) -> None:
        """GHL has answered, with whatever but a fault of its own."""
        ...

    def failed(self, direction: Direction, *, unreachable: bool, seconds: float) -> None:
        """GHL was down, after so many seconds; `unreachable`: nothing in the request can be the cause."""
        ...


class Unwatched:
    """Nobody is told: this request decides about nothing."""

    def passed(self, direction: Direction) -> None:
        """Note nothing."""
        del direction

    def failed(self, direction: Direction, *, unreachable: bool, seconds: float) -> None:
        """Note nothing."""
        del direction, unreachable, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the client needs for one location's requests. `need` is the urgency of reads; a post has its own."""

    bearer: Bearer
    budget: Budget
    need: Need = Need.GUARD
    breaker: Breaker = field(default_factory=Unwatched)


class Fixed:
    """A token that somebody set by hand, like a private integration's: there is no other."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        """The token."""
        return self._token

    def refused(self, token: str) -> None:
        """None: only a person can set another one."""
        del token


class Unlimited:
    """No budget is kept: GHL itself says when it is enough."""

    def acquire(self, need: Need) -> None:
        """Allow everything."""
        del need

    def learn_limits(self, limits: Limits) -> None:
        """Note nothing."""
        del limits

    def rate_limited(self, retry_after: float | None, limits: Limits) -> None:
        """Note nothing."""
        del retry_after, limits


def alone(token: str) -> Access:
    """Access with a token and nothing else, for somebody who makes a request or two."""
    return Access(bearer=Fixed(token), budget=Unlimited())


def with_token(access: Access, attempt: Callable[[str, float], T], seconds: float) -> T:
    """Attempt with the location's token, and once more with another one if GHL calls it invalid."""
    end = time.monotonic() + seconds
    shown = _lent(access, access.bearer.current)
    try:
        return attempt(shown, end - time.monotonic())
    except TokenRefused as refused:
        another = _lent(access, lambda: access.bearer.refused(shown)) if refused.renewable else None
        if another is None:
            raise
    return attempt(another, end - time.monotonic())


def _lent(access: Access, lend: Callable[[], T]) -> T:
    """A token. That GHL was down when one was to be renewed is told as any other request's."""
    began = time.monotonic()
    try:
        return lend()
    except ServiceDown:
        access.breaker.failed("reads", unreachable=True, seconds=time.monotonic() - began)
        raise
