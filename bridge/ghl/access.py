"""What a request to GHL needs: a token, a request left in the location's rate limit, and a circuit breaker to report to."""

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

# `read` includes every request that may be repeated. Posts may fail while reads work, and only a post shows that they work again.
Direction: TypeAlias = Literal["reads", "posts"]


class Need(IntEnum):
    """What a request is for, by rising urgency. Each may use the location's budget up to this part of it, in percent."""

    SWEEP = 50
    LOOKUP = 75
    GUARD = 90
    POST = 100


class Bearer(Protocol):
    """The source of a location's token."""

    def current(self) -> str:
        """The token to send. Raises OperatorMustFix if there is none, TokenRefused or Retryable if it can't be renewed."""
        ...

    def refused(self, token: str) -> str | None:
        """A new token, because GHL refused this one; None if there is no other. Raises as `current`."""
        ...


class Budget(Protocol):
    """A location's rate limit at GHL, which all processes share."""

    def acquire(self, need: Need) -> None:
        """Take one request. Raises BudgetExhausted if none is left for this urgency."""
        ...

    def learn_limits(self, limits: Limits) -> None:
        """Store the rate limit from an answer's headers."""
        ...

    def rate_limited(self, retry_after: float | None, limits: Limits) -> None:
        """Let the whole location wait after a 429; `retry_after` is the wait that GHL asked for (s), None if it named none."""
        ...


class Breaker(Protocol):
    """The circuit breaker of GHL: it gets the result of each request, and stops all locations while GHL is down."""

    def passed(self, direction: Direction) -> None:
        """GHL answered, and not with a fault of its own."""
        ...

    def failed(self, direction: Direction, *, unreachable: bool, seconds: float) -> None:
        """GHL failed after `seconds`; `unreachable`: the request itself can't be the cause."""
        ...


class Unwatched:
    """A breaker that ignores results, for requests that must not influence the circuit."""

    def passed(self, direction: Direction) -> None:
        """Do nothing."""
        del direction

    def failed(self, direction: Direction, *, unreachable: bool, seconds: float) -> None:
        """Do nothing."""
        del direction, unreachable, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the client needs for a location's requests. `need` is the urgency of reads; posts have their own."""

    bearer: Bearer
    budget: Budget
    need: Need = Need.GUARD
    breaker: Breaker = field(default_factory=Unwatched)


class Fixed:
    """A token that a person set, such as a private integration's. It can't be renewed."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        """The token."""
        return self._token

    def refused(self, token: str) -> None:
        """None, because only a person can set a new token."""
        del token


class Unlimited:
    """No own rate limit: only GHL's 429 limits the requests."""

    def acquire(self, need: Need) -> None:
        """Allow every request."""
        del need

    def learn_limits(self, limits: Limits) -> None:
        """Do nothing."""
        del limits

    def rate_limited(self, retry_after: float | None, limits: Limits) -> None:
        """Do nothing."""
        del retry_after, limits


def alone(token: str) -> Access:
    """Access with only a token, for callers with one or two requests."""
    return Access(bearer=Fixed(token), budget=Unlimited())


def with_token(access: Access, attempt: Callable[[str, float], T], seconds: float) -> T:
    """Attempt with the location's token, and once more with a new one if GHL refuses it."""
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
    """The result of `lend`, a token; if GHL is down during its renewal, the breaker gets the failure, as of any request."""
    began = time.monotonic()
    try:
        return lend()
    except ServiceDown:
        access.breaker.failed("reads", unreachable=True, seconds=time.monotonic() - began)
        raise
