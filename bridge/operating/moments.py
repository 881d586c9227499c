"""Moments as operators read them."""

from __future__ import annotations

from datetime import UTC, datetime

UNITS = ((86400, "days"), (3600, "h"), (60, "min"), (1, "s"))


def ago(at_ms: int, now_ms: int) -> str:
    """How long ago a moment was, roughly."""
    seconds = max(0, round((now_ms - at_ms) / 1000))
    unit, name = next(((unit, name) for unit, name in UNITS if seconds >= unit), UNITS[-1])
    return f"{seconds // unit} {name} ago"


def iso(at_ms: int) -> str | None:
    """A moment (ms) in ISO 8601, UTC; None for what has not happened."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds") if at_ms else None
