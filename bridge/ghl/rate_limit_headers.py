"""GHL's rate-limit headers. What a 429 does to the request is in `refusals`, to its location in store/limits/rate_limited.lua.

https://marketplace.gohighlevel.com/docs/oauth/Faqs, read 2026-08-30: 100 requests in 10 s and 200,000 a day for each app and
location, reported in `X-RateLimit-*` headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# A number with more digits is a mistake of a server between.
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


def _positive(value: str | None) -> int | None:
    return _number(value) or None


def _number(value: str | None) -> int | None:
    digits = (value or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None
