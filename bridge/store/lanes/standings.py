"""Standings of contacts: who wrote, what they opted out of, what an operator paused, and the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import Lane
from bridge.store.lanes.outbound import outbound_fields
from bridge.store.lanes.transcripts import parse_entry, transcript_entry
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import lane_of
from bridge.store.redis.partitions import PREFIXES, key, prefix_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from redis import Redis

    from bridge.model import ContactUpdate, OutboundMessage, PastMessage


class Standings:
    """Every method is one round trip and raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._observe = redis.register_script(script("observe"))
        self._begin = redis.register_script(script("begin_once"))
        self._remember = redis.register_script(script("remember"))
        self._pause = redis.register_script(script("pause"))
        self._resume = redis.register_script(script("resume"))
        self._allow = redis.register_script(script("allow"))
        self._retention_ms = retention_ms

    def observe(self, lane: Lane, messages: Sequence[OutboundMessage], *, token: str = "") -> int:
        """Record outbound messages that were read from GHL. Returns how many are new messages of a person.

        Here and below: with `token`, the lease's token of a turn, the write happens only while the turn holds the lane.
        """
        documents = orjson.dumps([outbound_fields(message) for message in messages])
        with reaching(f"record messages to {lane}"):
            return max(0, int(self._observe(keys=[prefix_of(lane)], args=[str(lane), documents, 0, self._retention_ms, token])))

    def pause(self, id_: str) -> Lane | None:
        """Pause a conversation or contact. Returns None if the id is not known yet; the pause applies anyway."""
        with reaching(f"pause {id_}"):
            # The partition of an unknown id is not known.
            known = lane_of(self._redis, id_)
            args: list[str | bytes | int] = [id_, _event("paused"), self._retention_ms, known or ""]
            lanes = [self._pause(keys=[prefix], args=args) for prefix in ([prefix_of(known)] if known else PREFIXES)]
        return next((Lane.parse(text(lane)) for lane in lanes if lane), None)

    def resume(self, id_: str) -> bool:
        """End a pause and a human takeover. Returns False if the id is not known."""
        with reaching(f"resume {id_}"):
            known = lane_of(self._redis, id_) or ""
            its = prefix_of(known) if known else ""
            args: list[str | bytes | int] = [id_, _event("resumed"), self._retention_ms]
            found = [self._resume(keys=[one], args=[*args, known if one == its else ""]) for one in PREFIXES]
        return any(paused or lane for paused, *lane in found)

    def allow(self, lane: Lane) -> tuple[str, ...]:
        """Lift a contact's opt-outs. Returns the channels that were opted out."""
        with reaching(f"allow {lane}"):
            return tuple(
                sorted(map(text, self._allow(keys=[prefix_of(lane)], args=[str(lane), _event("allowed"), self._retention_ms])))
            )

    def begin_away(self, lane: Lane, closed_ms: int, turn: str, *, token: str = "") -> bool:
        """Record that this turn sends the away message of the closed period. Returns False if another turn already did."""
        with reaching(f"record the away message of {lane}"):
            return bool(
                self._begin(keys=[prefix_of(lane)], args=[str(lane), token, f"away:{lane}:{closed_ms}", self._retention_ms, turn])
            )

    def undo_away(self, lane: Lane, closed_ms: int) -> None:
        """Undo `begin_away` after the message was not sent."""
        with reaching(f"undo the away message of {lane}"):
            self._redis.delete(key("away", str(lane), str(closed_ms)))

    def said(self, lane: Lane, count: int) -> tuple[PastMessage, ...]:
        """The last `count` messages of the transcript, oldest first."""
        with reaching(f"read the transcript of {lane}"):
            found: Any = self._redis.zrange(key("said", str(lane)), -count, -1, withscores=True) if count else []
        return tuple(parse_entry(text(one), at) for one, at in found)

    def remember(self, lane: Lane, messages: Iterable[PastMessage], *, token: str = "") -> None:
        """Add messages to the transcript; existing ones are not changed."""
        entries = _entries(messages)
        if entries:
            with reaching(f"add to the transcript of {lane}"):
                self._remember(keys=[prefix_of(lane)], args=[str(lane), token, self._retention_ms, *entries])


def _entries(messages: Iterable[PastMessage]) -> list[str | int]:
    return [part for one in messages for part in (one.at_ms, transcript_entry(one.id, one.role, one.content, one.files))]


def _event(step: str) -> bytes:
    return orjson.dumps({"step": step, "by": "an operator"})


def contact_args(update: ContactUpdate, retention_ms: int) -> list[Any]:
    """The arguments of `contact.lua`."""
    fields = {}
    if update.tags is not None:
        fields["tags"] = orjson.dumps(update.tags).decode()
    if update.dnd is not None:
        fields["dnd"] = "1" if update.dnd else "0"
    if update.blocked_channels is not None:
        fields["blocked"] = orjson.dumps(update.blocked_channels).decode()
    return [str(update.lane), update.at_ms, orjson.dumps(fields), retention_ms]
