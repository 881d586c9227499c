"""Moments and spans as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
JUST_NOW = 2.0


def read(at: str | None) -> datetime | None:
    """A moment in ISO 8601."""
    return datetime.fromisoformat(at) if at else None


def exactly(moment: datetime) -> str:
    """The whole truth, for those who ask for it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in one unit: `3 min ago`; `in 5 s` for what is to come."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < JUST_NOW:
        return "just now"
    return f"{span(round(seconds))} ago" if seconds > 0 else f"in {span(round(-seconds))}"


def span(seconds: float) -> str:
    """A length of time in the unit that fits: `850 ms`, `12 s`, `3 min`, `2 h`, `4 d`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    size, unit = next((size, unit) for size, unit in UNITS if seconds >= size)
    count = seconds / size
    digits = 0 if unit != "s" or count >= 10 or count == round(count) else 1  # noqa: PLR2004 - one digit says little
    return f"{count:.{digits}f} {unit}"
