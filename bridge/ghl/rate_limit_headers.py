"""Reads GHL's rate limit from the headers of its answers (`X-RateLimit-*`, and `Retry-After` of a 429).

After a 429 the whole location waits: bridge/ghl/requests.py calls `rate_limited` in bridge/store/limits/budget.py.

https://marketplace.gohighlevel.com/docs/oauth/Faqs, read 2026-08-30: 100 requests in 10 s and 200,000 a day for each app and
location, reported in `X-RateLimit-*` headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import BudgetExhausted, Retryable
from bridge.wire.answers import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

TOO_MANY_REQUESTS = 429

# A number with more digits is an error of an intermediate server.
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rate limit as GHL reports it; None for a value that is not reported."""

    most: int | None = None
    left: int | None = None
    interval_ms: int | None = None
    most_daily: int | None = None
    left_daily: int | None = None


def read(headers: Mapping[str, str]) -> Limits:
    """Read an answer's `X-RateLimit-*` headers. A limit of 0 counts as not reported, with all that belongs to it."""
    most, daily = _positive(headers.get("X-RateLimit-Max")), _positive(headers.get("X-RateLimit-Limit-Daily"))
    return Limits(
        most=most,
        left=_number(headers.get("X-RateLimit-Remaining")) if most else None,
        interval_ms=_positive(headers.get("X-RateLimit-Interval-Milliseconds")) if most else None,
        most_daily=daily,
        left_daily=_number(headers.get("X-RateLimit-Daily-Remaining")) if daily else None,
    )


def rate_limited(headers: Mapping[str, str], *, said: str) -> Retryable:
    """The error for a 429: Retryable with the wait (s) that GHL asks for, else BudgetExhausted. `said` is its message."""
    asked = retry_after(headers)
    return BudgetExhausted(said) if asked is None else Retryable(said, retry_after=asked)


def _positive(value: str | None) -> int | None:
    return _number(value) or None


def _number(value: str | None) -> int | None:
    digits = (value or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None
