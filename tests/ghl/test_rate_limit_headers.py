"""X-RateLimit headers: valid values count, others are ignored."""

from __future__ import annotations

import pytest

from bridge.ghl.rate_limit_headers import Limits, read

TOLD = {
    "X-RateLimit-Max": "100",
    "X-RateLimit-Remaining": "97",
    "X-RateLimit-Interval-Milliseconds": "10000",
    "X-RateLimit-Limit-Daily": "200000",
    "X-RateLimit-Daily-Remaining": "0",
}


def test_what_ghl_tells_is_read() -> None:
    """Both limits and what is left of each are read; 0 left is a value."""
    assert read(TOLD) == Limits(most=100, left=97, interval_ms=10_000, most_daily=200_000, left_daily=0)


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1e3", "9" * 10, "\u0663"])
def test_nonsense_is_not_told(value: str) -> None:
    """A limit of 0, or without a number, makes its rest unknown too."""
    headers = {**TOLD, "X-RateLimit-Max": value, "X-RateLimit-Limit-Daily": value}
    assert read(headers) == Limits()


def test_an_answer_without_headers_tells_nothing() -> None:
    """An answer without headers, as of GHL's token endpoint, says nothing."""
    assert read({}) == Limits()
