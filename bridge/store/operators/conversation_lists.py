"""Lists of conversations: candidates in their order, from existing keys; a script filters them in blocks.

Unfinished conversations come from the schedule, all others from the index of newest inbound messages (`recorded:LOCATION`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import orjson

from bridge.model import Lane, LocationId
from bridge.store.figures.deliveries import undelivered
from bridge.store.operators.ranges import Ranges
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import call_grouped, gather_reached, members, members_reached, missing_partitions
from bridge.store.redis.partitions import prefix_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bridge.store.redis.connection import Redis

Work = Literal["", "waiting", "answering", "retrying", "overdue", "held"]
Place = tuple[int, str]

# The lanes of one script call, which takes Redis about a millisecond, and the most lanes that a page reads for a rare match.
AT_ONCE, MOST_READ = 500, 20_000
# A lane whose end an older version did not store costs as much as this many others.
CAUGHT_UP_COUNTS = 50
FOR_EVER_MS = 1 << 53
WEEK_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """The filter of a list: every non-empty field must match.

    `location_ids` are the locations to read; `work` is the state of unfinished work; `ended` are statuses, or status|reason, with
    one of which a message ended; `since_ms` and `before_ms` limit the time of the newest such end, or of the conversation's
    newest message; `kinds` are names of GHL's message types; `delivery` is that of its replies: accepted, delivered, undelivered.
    """

    location_ids: Sequence[str]
    work: Work = ""
    ended: Sequence[str] = ()
    kinds: Sequence[str] = ()
    delivery: str = ""
    since_ms: int = 0
    before_ms: int = FOR_EVER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedConversation:
    """A conversation of a list: its unfinished work, the outcome of its last ended message, and when that was (ms; 0: unknown).

    `at_ms` is the time by which the list is sorted: when its newest message arrived, or ended as the filter says; in a list of
    unfinished work, when it is due.
    """

    lane: Lane
    work: Work
    due_ms: int
    attempts: int
    status: str
    reason: str
    kind: str
    ended_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class ListedConversations:
    """A page of a list, and the position of the next one; empty if there is none. An empty page may have a `next`."""

    conversations: tuple[ListedConversation, ...]
    next: str


class ConversationLists:
    """Raises Unavailable when Redis can't be reached. In a cluster they lack what is on a node that is missing."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._look_over = redis.register_script(script("look_over"))
        self._retention_ms = retention_ms

    def page(self, wanted: ListFilter, *, after: str, most: int) -> ListedConversations:
        """At most `most` matches, from the position `after`. Raises ValueError for an `after` that is not from a page."""
        found: list[ListedConversation] = []
        read = 0
        # Without a filter, the first lanes are the result.
        at_once = AT_ONCE if _is_filtered(wanted) else most
        with reaching("list conversations"):
            candidates = self._candidates(wanted, _place(after))
            some = list(islice(candidates, at_once))
            while some:
                looked, cost, rows = self._look(wanted, some, most - len(found))
                found += rows
                read += cost
                last, some = some[looked - 1], some[looked:] or list(islice(candidates, at_once))
                if some and (len(found) >= most or read >= MOST_READ):
                    return ListedConversations(tuple(found), f"{last[0]}-{last[1]}")
        return ListedConversations(tuple(found), "")

    def _look(self, wanted: ListFilter, some: Sequence[Place], most: int) -> tuple[int, int, list[ListedConversation]]:
        """The number of lanes that were checked, the reads that they count as, and the matches."""
        asked = {
            "work": wanted.work,
            "ended": wanted.ended,
            "since": wanted.since_ms,
            "before": wanted.before_ms,
            "kinds": wanted.kinds,
            "delivery": "" if wanted.delivery == "undelivered" else wanted.delivery,
            "most": most,
        }
        prefixes, items = [prefix_of(lane) for _, lane in some], [(lane, at) for at, lane in some]
        found = call_grouped(self._look_over, prefixes, items, first=[orjson.dumps(asked), self._retention_ms])
        # Of each partition the first lanes were checked; the result ends before the first one that was not.
        unchecked = [places[answer[0]] for places, answer in found if answer[0] < len(places)]
        rows = sorted((places[row[0] - 1], row) for places, (_, _, *rows) in found for row in rows)
        matches = [(at, row) for at, row in rows if at < min(unchecked, default=len(some))][:most]
        full = len(matches) == most and len(found) > 1
        looked = matches[-1][0] + 1 if full else min(unchecked, default=len(some))
        caught_up = sum(answer[1] for _, answer in found)
        return looked, looked + caught_up * CAUGHT_UP_COUNTS, [_listed(some[at][1], row) for at, row in matches]

    def _candidates(self, wanted: ListFilter, after: Place | None) -> Iterator[Place]:
        """Lanes in the order of the list, each with its time (ms): unfinished work oldest first, other lists newest first."""
        locations = wanted.location_ids
        match wanted.work:
            case "waiting" | "overdue":
                yield from Ranges(self._redis, "due", locations, oldest_first=True).after(after)
            case "held":
                held = members_reached(self._redis, "holds")
                yield from Ranges(self._redis, "due", [one for one in locations if one in held], oldest_first=True).after(after)
            case "answering":
                found = [lane for some in gather_reached(self._redis, "ZRANGE", "inflight", 0, -1).values() for lane in some]
                yield from _finite(((0, lane) for lane in found), locations, after)
            case "retrying":
                yield from _finite(((0, lane) for lane in members_reached(self._redis, "retrying")), locations, after)
            case _ if wanted.delivery == "undelivered":
                lost = undelivered(self._redis, since_ms=wanted.since_ms)
                newest = {str(one.lane): one.at_ms for one in reversed(lost) if one.at_ms < wanted.before_ms}
                yield from _finite(((at, lane) for lane, at in newest.items()), locations, after)
            case _:
                # A message may end long after it arrived.
                floor = wanted.since_ms - (WEEK_MS if wanted.ended else 0)
                before = FOR_EVER_MS if wanted.ended else wanted.before_ms
                ranges = Ranges(self._redis, "recorded", locations, oldest_first=False)
                yield from ranges.after(after, since_ms=max(0, floor), before_ms=before)


def _is_filtered(wanted: ListFilter) -> bool:
    return bool(wanted.work or wanted.ended or wanted.kinds or wanted.delivery)


def _finite(places: Iterable[Place], location_ids: Sequence[str], after: Place | None) -> Iterator[Place]:
    """Sort a few lanes without an order: newest first, then by name."""
    known = set(location_ids)
    ordered = sorted((place for place in places if place[1].partition(":")[0] in known), reverse=True)
    return iter(ordered if after is None else [place for place in ordered if place < after])


def _place(after: str) -> Place | None:
    at, dash, lane = after.partition("-")
    return (int(at), lane) if dash else None


def _listed(lane: str, row: Sequence[Any]) -> ListedConversation:
    _, work, due, attempts, ended, moment, kind = row
    status, reason, _, ended_at = ended.split("|") if ended else ("", "", "", 0)
    return ListedConversation(
        lane=Lane.parse(lane),
        work=work,
        due_ms=int(due),
        attempts=int(attempts or 0),
        status=status,
        reason=reason,
        kind=kind,
        ended_ms=int(ended_at),
        at_ms=int(moment) or int(due),
    )


def known_locations(redis: Redis) -> tuple[LocationId, ...]:
    """Every location that may have conversations, by name. Raises Unavailable."""
    with reaching("list the locations"):
        return tuple(sorted(LocationId(one) for one in members(redis, "locations") | members(redis, "installs")))


def reached_locations(redis: Redis) -> tuple[LocationId, ...]:
    """The same, for a list: in a cluster without those of nodes that are missing."""
    with reaching("list the locations"):
        found = members_reached(redis, "locations") | members_reached(redis, "installs")
    return tuple(sorted(map(LocationId, found)))


def missing_locations(redis: Redis) -> tuple[str, ...]:
    """Which locations such a list lacks, in sentences. Raises Unavailable."""
    with reaching("list the locations"):
        return missing_partitions(redis)
