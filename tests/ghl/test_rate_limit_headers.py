"""X-RateLimit headers: valid values count, nonsense is ignored."""

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
    """Both budgets, and what is left of each; nothing left is something told."""
    assert read(TOLD) == Limits(most=100, left=97, interval_ms=10_000, most_daily=200_000, left_daily=0)


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1e3", "9" * 10, "\u0663"])
def test_nonsense_is_not_told(value: str) -> None:
    """A budget of nothing, or of no number, says nothing of what is left of it either."""
    headers = {**TOLD, "X-RateLimit-Max": value, "X-RateLimit-Limit-Daily": value}
    assert read(headers) == Limits()


def test_an_answer_without_headers_tells_nothing() -> None:
    """GHL's token endpoint sends none."""
    assert read({}) == Limits()
