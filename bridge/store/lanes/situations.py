"""The situation of a contact and its location, read in one call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import ConversationId, Situation, Standing
from bridge.policy.authors import CALLS
from bridge.store.locations.records import FIELDS, named
from bridge.store.redis.connection import reaching, rows
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import prefix_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from redis import Redis

    from bridge.model import Lane

WEEK_MS = 7 * 24 * 3600 * 1000


class Situations:
    """Reads situations."""

    def __init__(self, redis: Redis, *, retention_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._situation = redis.register_script(script("situation"))
        self._retention_ms = retention_ms
        self._clock = clock

    def read(self, lane: Lane, conversation_id: ConversationId) -> Situation:
        """The current situation. Raises Unavailable if Redis can't be reached."""
        began = self._clock()
        args: list[str | int] = [str(lane), conversation_id, self._retention_ms, *FIELDS]
        with reaching(f"read the situation of {lane}"):
            return read_situation(self._situation(keys=[prefix_of(lane)], args=args), read_at=began)


def read_situation(answer: Sequence[Any], *, read_at: float) -> Situation:
    """Parse the answer of `parts/situations.lua`. `read_at` is this process' monotonic clock (s) before the call."""
    now, conversation, location, standing, replies, oldest = answer
    known = named(location)
    hears_events = now - int(known.get("marketplace_at") or 0) < WEEK_MS
    return Situation(
        conversation_id=ConversationId(conversation),
        location=known,
        standing=_standing(rows(standing), replies, int(float(oldest)), hears_events=hears_events),
        read_at=read_at,
    )


def _standing(fields: Mapping[str, str], replies: int, oldest_ms: int, *, hears_events: bool) -> Standing:
    return Standing(
        revision=_ms(fields, "revision"),
        paused_at_ms=_ms(fields, "paused_at"),
        human_at_ms=_ms(fields, "human_at"),
        human_id=fields.get("human_id", ""),
        called=fields.get("human_by") in CALLS,
        automation_at_ms=_ms(fields, "automation_at"),
        automation_id=fields.get("automation_id", ""),
        resumed_at_ms=_ms(fields, "resumed_at"),
        stopped=_stopped(fields),
        tags=_names(fields, "tags"),
        tags_heard_ms=_ms(fields, "tags_heard"),
        dnd=fields["dnd"] == "1" if "dnd" in fields else None,
        dnd_heard_ms=_ms(fields, "dnd_heard"),
        blocked_channels=_names(fields, "blocked"),
        blocked_heard_ms=_ms(fields, "blocked_heard"),
        replies=replies,
        oldest_reply_at_ms=oldest_ms,
        handover_at_ms=_ms(fields, "handover_at"),
        handover_until_ms=_ms(fields, "handover_until"),
        hears_events=hears_events,
    )


def _ms(fields: Mapping[str, str], name: str) -> int:
    return int(fields.get(name) or 0)


def _names(fields: Mapping[str, str], name: str) -> frozenset[str] | None:
    return frozenset(orjson.loads(fields[name])) if name in fields else None


def _stopped(fields: Mapping[str, str]) -> dict[str, int]:
    channels = [name.removeprefix("stop:") for name in fields if name.startswith("stop:")]
    since = {channel: _ms(fields, f"stop:{channel}") for channel in channels}
    return {channel: at for channel, at in since.items() if at >= _ms(fields, f"start:{channel}")}
