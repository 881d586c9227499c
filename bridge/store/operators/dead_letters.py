"""Dead letters: turns that failed for good, until an operator replays or drops them, or a newer message arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import orjson

from bridge.model import ConversationId, Lane, LocationId, MessageId
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import gather_reached
from bridge.store.redis.partitions import PREFIXES, key_at, prefix_of_turn, scored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bridge.store.redis.connection import Redis

Replayed = Literal["replayed", "unknown", "closed", "newer"]
Dropped = Literal["dropped", "unknown", "closed"]

PAGE, MOST_READ = 500, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDeadLetter:
    """One dead letter. `failed_at_ms` is by Redis' clock; `error` contains no content.

    `excerpt_id` is the id of the service's answer; empty if none is stored.
    """

    id: str
    lane: Lane
    conversation_id: ConversationId
    message_ids: tuple[MessageId, ...]
    channel: str
    error: str
    attempts: int
    failed_at_ms: int
    excerpt_id: str


@dataclass(frozen=True, slots=True)
class StoredDeadLetters:
    """A page of dead letters, and the position of the next one; empty if there is none."""

    dead_letters: tuple[StoredDeadLetter, ...]
    next: str


class DeadLetters:
    """The open dead letters. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._replay = redis.register_script(script("replay"))
        self._drop = redis.register_script(script("drop"))
        self._retention_ms = retention_ms

    def get(self, id_: str) -> StoredDeadLetter | None:
        """One open dead letter."""
        with reaching(f"read dead letter {id_}"):
            prefix = prefix_of_turn(self._redis, "dead", id_)
            is_open = self._redis.zscore(key_at(prefix, "dead"), id_) is not None
            stored = self._redis.get(key_at(prefix, "dead", id_)) if is_open else None
        return _dead_letter(text(stored)) if stored else None

    def is_known(self, id_: str) -> bool:
        """Whether a dead letter with this id exists or existed."""
        with reaching(f"look for dead letter {id_}"):
            return bool(self._redis.exists(key_at(prefix_of_turn(self._redis, "dead", id_), "dead", id_)))

    def all(self, *, location_id: LocationId | None = None) -> Iterator[StoredDeadLetter]:
        """The open ones, oldest first; those of one location if given."""
        after = ""
        while True:
            page = self.page(after=after, location_id=location_id)
            yield from page.dead_letters
            if not page.next:
                return
            after = page.next

    def page(
        self,
        *,
        after: str = "",
        most: int = PAGE,
        location_id: LocationId | None = None,
        fits: Callable[[StoredDeadLetter], bool] | None = None,
    ) -> StoredDeadLetters:
        """At most `most` open ones, oldest first, from the position `after`: of one location, and matching a filter, if given.

        A page reads a limited number, so with a rare match it may be empty and still have a `next`. Raises ValueError for an
        `after` that is not from a page.
        """
        filtered = location_id is not None or fits is not None
        found: list[StoredDeadLetter] = []
        for _ in range(MOST_READ // PAGE):
            some = self._read(after, PAGE if filtered else most)
            for place, one in some:
                after = "{}-{}".format(*place)
                if one and location_id in {None, one.lane.location_id} and (fits is None or fits(one)):
                    found.append(one)
                if len(found) == most:
                    return StoredDeadLetters(tuple(found), after)
            if len(some) < (PAGE if filtered else most):
                return StoredDeadLetters(tuple(found), "")
            if not filtered:
                break
        return StoredDeadLetters(tuple(found), after)

    def _read(self, after: str, count: int) -> list[tuple[tuple[int, str], StoredDeadLetter | None]]:
        """At most `count` in their order, each with its position; None for an expired one."""
        with reaching("list the dead letters"):
            places = self._after(after, count)
            found = self._redis.mget([key_at(prefix, "dead", id_) for (_, id_), prefix in places]) if places else []
        pairs = zip(places, found, strict=True)
        return [(place, _dead_letter(text(stored)) if stored else None) for (place, _), stored in pairs]

    def _after(self, after: str, most: int) -> list[tuple[tuple[int, str], str]]:
        """The next positions, each with the prefix of its partition.

        They are times and ids instead of indexes, because dead letters may be closed between two pages.
        """
        at, _, last = after.partition("-")
        reached = (int(at or 0), last)
        found: list[tuple[tuple[int, str], str]] = []
        going, start = PREFIXES, 0
        since = (reached[0], "+inf", "WITHSCORES")
        while going:
            # In a cluster, what a missing node has is not listed.
            rows = gather_reached(self._redis, "ZRANGEBYSCORE", "dead", *since, "LIMIT", start, most, at=going)
            lists = {prefix: [(int(at), id_) for id_, at in scored([flat])] for prefix, flat in rows.items()}
            beyond = {prefix: [place for place in places if place > reached] for prefix, places in lists.items()}
            found += [(place, prefix) for prefix, places in beyond.items() for place in places]
            # Only partitions whose first entries are all before that position may have more to read.
            going = tuple(prefix for prefix, places in lists.items() if len(places) == most > len(beyond[prefix]))
            start += most
        return sorted(found)[:most]

    def replay(self, id_: str, *, force: bool) -> Replayed:
        """Put it first in its lane again; repeated calls have no further effect."""
        with reaching(f"replay dead letter {id_}"):
            prefix = prefix_of_turn(self._redis, "dead", id_)
            return cast(
                "Replayed", self._replay(keys=[prefix], args=[id_, int(force), _event("replayed", id_), self._retention_ms])
            )

    def drop(self, ids: Sequence[str]) -> list[Dropped]:
        """Close some without an answer. Returns the result for each."""
        with reaching("drop dead letters"):
            return [self._drop_one(one) for one in ids]

    def _drop_one(self, id_: str) -> Dropped:
        prefix = prefix_of_turn(self._redis, "dead", id_)
        return cast("Dropped", self._drop(keys=[prefix], args=[id_, _event("dropped", id_), self._retention_ms]))


def _event(step: str, id_: str) -> bytes:
    return orjson.dumps({"step": step, "dead_letter_id": id_})


def _dead_letter(stored: str) -> StoredDeadLetter:
    fields = orjson.loads(stored)
    return StoredDeadLetter(
        id=fields["id"],
        lane=Lane(fields["location_id"], fields["contact_id"]),
        conversation_id=fields["conversation_id"],
        message_ids=tuple(fields["message_ids"]),
        channel=fields["channel"],
        error=fields["error"],
        attempts=fields["attempts"],
        failed_at_ms=fields["failed_at"],
        excerpt_id=fields.get("excerpt_id", ""),
    )
