"""Dead letters: turns that did not pass by themselves, until somebody replays or drops them or a newer message comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import orjson

from bridge.model import ConversationId, Lane, LocationId, MessageId
from bridge.store.connection import key, reaching, script, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.store.connection import Redis

Replayed = Literal["replayed", "unknown", "closed", "newer"]
Dropped = Literal["dropped", "unknown", "closed"]

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter. `failed_at_ms` is by Redis' clock; `error` holds no content."""

    id: str
    lane: Lane
    conversation_id: ConversationId
    message_ids: tuple[MessageId, ...]
    channel: str
    error: str
    attempts: int
    failed_at_ms: int


class DeadLetters:
    """The open dead letters. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._replay = redis.register_script(script("replay"))
        self._drop = redis.register_script(script("drop"))
        self._retention_ms = retention_ms

    def get(self, id_: str) -> DeadLetter | None:
        """One open dead letter."""
        with reaching(f"read dead letter {id_}"):
            stored = self._redis.get(key("dead", id_)) if self._redis.zscore(key("dead"), id_) is not None else None
        return _letter(text(stored)) if stored else None

    def is_known(self, id_: str) -> bool:
        """Whether there is or was one of this id."""
        with reaching(f"look for dead letter {id_}"):
            return bool(self._redis.exists(key("dead", id_)))

    def all(self, *, location_id: LocationId | None = None) -> Iterator[DeadLetter]:
        """The open ones, oldest first, a page at a time; those of one location if given."""
        start = 0
        while True:
            with reaching("list the dead letters"):
                ids = [text(one) for one in self._redis.zrange(key("dead"), start, start + PAGE - 1)]
                found = self._redis.mget([key("dead", one) for one in ids]) if ids else []
            for letter in (_letter(text(stored)) for stored in found if stored):
                if location_id in {None, letter.lane.location_id}:
                    yield letter
            if len(ids) < PAGE:
                return
            start += PAGE

    def replay(self, id_: str, *, force: bool) -> Replayed:
        """Put it back at the head of its lane; only once, however often it is asked for."""
        with reaching(f"replay dead letter {id_}"):
            return cast("Replayed", self._replay(args=[id_, int(force), _event("replayed", id_), self._retention_ms]))

    def drop(self, ids: Sequence[str]) -> list[Dropped]:
        """Close some for good; answers what became of each."""
        with reaching("drop dead letters"):
            return [cast("Dropped", self._drop(args=[one, _event("dropped", one), self._retention_ms])) for one in ids]


def _event(step: str, id_: str) -> bytes:
    return orjson.dumps({"step": step, "dead_letter_id": id_})


def _letter(stored: str) -> DeadLetter:
    fields = orjson.loads(stored)
    return DeadLetter(
        id=fields["id"],
        lane=Lane(fields["location_id"], fields["contact_id"]),
        conversation_id=fields["conversation_id"],
        message_ids=tuple(fields["message_ids"]),
        channel=fields["channel"],
        error=fields["error"],
        attempts=fields["attempts"],
        failed_at_ms=fields["failed_at"],
    )
