"""The overview: waiting conversations, the last day's outcomes, and problems."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.model import Status
from bridge.operating.diagnosis import diagnose, shorten
from bridge.operating.operation import Nothing, operation
from bridge.operating.services import AdminServices
from bridge.operating.trouble import Trouble
from bridge.store.figures.charts import chart
from bridge.store.operators.symptoms import look
from bridge.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.figures.charts import Bucket, Span

MINUTES, HOURS = 60, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Numbers of messages by outcome in the minute or hour that begins `at` (ISO 8601, UTC).

    `replied` includes replies that providers posted.
    """

    at: str | None
    accepted: int
    replied: int
    no_reply: int
    skipped: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The current state in conversations, and the last 24 hours in messages.

    `waiting` and `answering` are the conversations with unanswered messages; `retrying` are those of both with a failed attempt,
    `held` belong to locations on hold. `hours` and `minutes` (of the last hour) are sorted, oldest first; the newest is not over
    yet. `day` is the sum of `hours`. `reply_seconds` is the mean time from acceptance to reply, null without a reply.
    """

    troubles: tuple[Trouble, ...]
    waiting: int
    answering: int
    retrying: int
    held: int
    oldest_overdue_seconds: float
    dead_letters: int
    workers: int
    slots: int
    locations: int
    on_hold: int
    missing_durability: tuple[str, ...]
    day: Outcomes
    skipped_by_reason: dict[str, int]
    no_reply_by_reason: dict[str, int]
    reply_seconds: float | None
    minutes: tuple[Outcomes, ...]
    hours: tuple[Outcomes, ...]


@operation("overview", "GET", "/overview")
def overview(services: AdminServices, asked: Nothing) -> Overview:
    """Show waiting conversations, the last day's outcomes, and problems."""
    del asked
    symptoms = look(services.redis)
    now = symptoms.gauges
    hours = _read(services, "hour", HOURS)
    day = _sum(hours)
    heard = day["replied"] + day["delivered_by_provider"]
    return Overview(
        troubles=shorten(diagnose(symptoms)),
        waiting=max(0, now.lanes - now.held - now.in_flight),
        answering=now.in_flight,
        retrying=now.retrying,
        held=now.held,
        oldest_overdue_seconds=now.oldest_overdue_seconds,
        dead_letters=now.dead_letters,
        workers=now.workers,
        slots=now.slots,
        locations=now.locations,
        on_hold=now.on_hold,
        missing_durability=symptoms.missing_durability,
        day=_outcomes(hours[0].at_ms, day),
        skipped_by_reason=_by_reason(day, Status.SKIPPED),
        no_reply_by_reason=_by_reason(day, Status.NO_REPLY),
        reply_seconds=day["reply_ms"] / heard / 1000 if heard else None,
        minutes=tuple(_outcomes(each.at_ms, Counter(each.counts)) for each in _read(services, "minute", MINUTES)),
        hours=tuple(_outcomes(each.at_ms, Counter(each.counts)) for each in hours),
    )


def _read(services: AdminServices, span: Span, most: int) -> tuple[Bucket, ...]:
    return chart(services.redis, span, most)


def _sum(buckets: Iterable[Bucket]) -> Counter[str]:
    total: Counter[str] = Counter()
    for bucket in buckets:
        total.update(bucket.counts)
    return total


def _by_reason(counts: Counter[str], status: Status) -> dict[str, int]:
    """The reasons of messages with this status and their counts, the most frequent first."""
    return {name.partition("|")[2]: count for name, count in counts.most_common() if name.startswith(f"{status}|")}


def _outcomes(at_ms: int, counts: Counter[str]) -> Outcomes:
    return Outcomes(
        at=iso(at_ms),
        accepted=counts["accepted"],
        replied=counts["replied"] + counts["delivered_by_provider"],
        no_reply=counts["no_reply"],
        skipped=sum(count for name, count in counts.items() if name.startswith("skipped|")),
        dead=counts["dead"],
    )
