"""What a request to GHL needs: the token to send, and room in the location's rate limit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from bridge.errors import TokenRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.ghl.rate_limit_headers import Limits

T = TypeVar("T")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the client needs for one location's requests. `need` is the urgency of reads; a post has its own."""

    bearer: Bearer
    budget: Budget
    need: Need = Need.GUARD


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
    shown = access.bearer.current()
    try:
        return attempt(shown, end - time.monotonic())
    except TokenRefused as refused:
        another = access.bearer.refused(shown) if refused.renewable else None
        if another is None:
            raise
    return attempt(another, end - time.monotonic())
