"""A problem that an operator must look at, as it is shown on every interface."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A problem that an operator must look at.

    `cause` identifies it as long as it lasts (`overdue`, `hold:LOCATION_ID`); `name` is a heading of the runbook; `says` is a
    sentence; `command` is the first command to run. `since` (ISO 8601, UTC) is null if it is not known. `location_id` is empty
    if the problem is not about one location. `critical` means that contacts get no answer, or messages may be lost, until
    somebody acts. An alert is sent when the problem has lasted for `alert_after_seconds`.
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
    """A count with its noun in singular or plural: `2 dead letters wait`."""
    return f"{count:,} {one if count == 1 else more}"
