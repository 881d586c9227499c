"""The overview: waiting conversations, the last day's outcomes, and problems."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.model import Role, Status
from bridge.operating.diagnosis import diagnose, shorten
from bridge.operating.operation import Nothing, operation
from bridge.operating.reach import everywhere
from bridge.operating.services import AdminServices
from bridge.operating.trouble import Trouble
from bridge.store.figures.charts import MS, chart
from bridge.store.figures.deliveries import undelivered
from bridge.store.operators.symptoms import look
from bridge.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.figures.charts import Bucket, Span

MINUTES, HOURS = 60, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The number of messages that arrived since `at` (ISO 8601, UTC), and their outcomes, whenever they were reached.

    `received` = `replied` + `delivered_by_provider` + `no_reply` + `skipped` + `dead` + `in_work`.
    `accepted` is deprecated: it is the older name of `received`, and the next version no longer has it.
    """

    at: str | None
    received: int
    accepted: int
    replied: int
    delivered_by_provider: int
    no_reply: int
    skipped: int
    dead: int
    in_work: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The current state in conversations, and the last 24 hours in messages.

    `waiting` and `answering` are the unfinished work; `retrying` are those of both that failed before, `held` belong to locations
    on hold. `day` is the sum of `hours`; `hours`, and `minutes` (of the last hour), are oldest first, and the newest is not
    complete yet. `undelivered` are replies of the last 24 hours that did not reach their contacts (at most a thousand).
    `reply_seconds` is the mean time from acceptance to reply, null without a reply.
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
    undelivered: int
    minutes: tuple[Outcomes, ...]
    hours: tuple[Outcomes, ...]


@operation("overview", "GET", "/overview", role=Role.READ, reach=everywhere)
def overview(services: AdminServices, asked: Nothing) -> Overview:
    """Show waiting conversations, the last day's outcomes, and problems."""
    del asked
    symptoms = look(services.redis, replicas=services.settings.confirm_replicas)
    now = symptoms.gauges
    hours = _read(services, "hour", HOURS)
    day = _sum(hours)
    answered = day["replied"] + day["delivered_by_provider"]
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
        undelivered=len(undelivered(services.redis, since_ms=symptoms.now_ms - HOURS * MS["hour"])),
        reply_seconds=day["reply_ms"] / answered / 1000 if answered else None,
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
    """The reasons for an end, the most frequent first."""
    return {name.partition("|")[2]: count for name, count in counts.most_common() if name.startswith(f"{status}|") and count > 0}


def _outcomes(at_ms: int, counts: Counter[str]) -> Outcomes:
    """The outcomes of a time. Older versions counted an outcome when it happened, so for a day they may exceed arrivals."""
    skipped = sum(count for name, count in counts.items() if name.startswith("skipped|"))
    ended = [max(0, counts[name]) for name in (Status.REPLIED, Status.DELIVERED_BY_PROVIDER, Status.NO_REPLY, Status.DEAD)]
    replied, delivered, silent, dead = ended
    in_work = max(0, counts["accepted"] - sum(ended) - max(0, skipped))
    received = sum(ended) + max(0, skipped) + in_work
    return Outcomes(
        at=iso(at_ms),
        received=received,
        accepted=received,
        replied=replied,
        delivered_by_provider=delivered,
        no_reply=silent,
        skipped=max(0, skipped),
        dead=dead,
        in_work=in_work,
    )
