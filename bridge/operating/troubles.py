"""What needs somebody, worst first, each with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.gauges import Gauges

OVERDUE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong: its name (a heading of the runbook), a sentence, and the first command."""

    name: str
    says: str
    command: str


def troubles(now: Gauges, missing_durability: tuple[str, ...]) -> tuple[Trouble, ...]:
    """Judge the state of now."""
    return tuple(_found(now, missing_durability))


def _found(now: Gauges, missing_durability: tuple[str, ...]) -> Iterator[Trouble]:
    if not now.workers:
        yield Trouble("No workers", "No worker lives: messages are accepted and wait, nothing is answered.", "ghl-bridge doctor")
    if now.oldest_overdue_seconds > OVERDUE_SECONDS:
        says = f"A conversation has waited {now.oldest_overdue_seconds:.0f} s longer than it should."
        yield Trouble("Overdue", says, "ghl-bridge doctor")
    if now.on_hold:
        says = f"{_many(now.on_hold, 'location is', 'locations are')} on hold: a login was refused three times in a row."
        yield Trouble("A location on hold", says, "ghl-bridge locations list")
    if now.providers_down:
        says = (
            f"{_many(now.providers_down, 'completion service is', 'completion services are')} down: what waits is answered after."
        )
        yield Trouble("A provider fails", says, "ghl-bridge doctor")
    if now.dead_letters:
        says = f"{_many(now.dead_letters, 'dead letter waits', 'dead letters wait')} for somebody."
        yield Trouble("Dead letters", says, "ghl-bridge dead-letters list")
    if missing_durability:
        says = f"Redis may lose what it was told: {', '.join(missing_durability)}."
        yield Trouble("Durability missing", says, "ghl-bridge doctor")


def _many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
