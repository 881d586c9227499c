"""Moments as operators read them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(at_ms: int) -> str | None:
    """A moment (ms) in ISO 8601, UTC; None for what has not happened."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds") if at_ms else None
