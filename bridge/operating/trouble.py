"""One thing that needs somebody, as everybody is told of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that needs somebody.

    `cause` identifies it for as long as it lasts (`overdue`, `hold:LOCATION_ID`); `name` is a heading of the runbook; `says` is a
    sentence; `command` is the first one to run. `since` (ISO 8601, UTC) is null where it is not known, `location_id` empty where
    it is not about one location. `critical`: contacts go unanswered, or messages may be lost, until somebody acts. An alert
    goes out once it has lasted for `alert_after_seconds`.
    """

    cause: str
    name: str
    says: str
    command: str
    critical: bool = False
    since: str | None = None
    location_id: str = ""
    alert_after_seconds: float = 0.0


def counted(count: int, one: str, more: str) -> str:
    """A count with its noun, in singular or plural: `2 dead letters wait`."""
    return f"{count:,} {one if count == 1 else more}"
