"""Formats of times and durations for people, timelines and the admin API."""

from __future__ import annotations

from datetime import UTC, datetime

UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
JUST_NOW = 2.0


def utc(ms: int) -> str:
    """Milliseconds since 1970 as UTC to the second, like 2026-11-22T09:30:00Z."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso(at_ms: int) -> str | None:
    """A time (ms since 1970) in ISO 8601, UTC, to the millisecond; None for 0, which means that it has not happened."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds") if at_ms else None


def read(at: str | None) -> datetime | None:
    """A time in ISO 8601, as `iso` writes it."""
    return datetime.fromisoformat(at) if at else None


def exactly(moment: datetime) -> str:
    """A time to the second: `2026-11-22 09:30:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in one unit: `3 min ago`; `in 5 s` for a future time."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < JUST_NOW:
        return "just now"
    return f"{span(round(seconds))} ago" if seconds > 0 else f"in {span(round(-seconds))}"


def ago_ms(at_ms: int, now_ms: int) -> str:
    """How long ago a time (ms since 1970) was, in whole seconds or longer units; never in the future."""
    return f"{span(max(0, round((now_ms - at_ms) / 1000)))} ago"


def span(seconds: float) -> str:
    """A length of time in the unit that fits: `850 ms`, `12 s`, `3 min`, `2 h`, `4 d`."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    size, unit = next(((size, unit) for size, unit in UNITS if seconds >= size), UNITS[-1])
    count = seconds / size
    digits = 0 if unit != "s" or count >= 10 or count == round(count) else 1  # noqa: PLR2004 - one digit says little
    return f"{count:.{digits}f} {unit}"
