"""The results of a turn's look into GHL after a rollback of the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from bridge.errors import Fenced
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import beside
from bridge.store.redis.partitions import prefix_of

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import Channel, MessageId, Rollback, Turn


@dataclass(frozen=True, slots=True)
class SaidInGHL:
    """An opt-out or opt-in in GHL's list: the message's id, its channel, and when it was written (ms)."""

    id: MessageId
    channel: Channel
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundInGHL:
    """Opt-outs and opt-ins of the contact, and the ids of replies that the state does not know."""

    stops: tuple[SaidInGHL, ...] = ()
    starts: tuple[SaidInGHL, ...] = ()
    forgotten: tuple[MessageId, ...] = ()


class RollbackLooks:
    """Raises Unavailable when Redis can't be reached, Fenced when the lease is lost."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._note = redis.register_script(script("look_back"))
        self._retention_ms = retention_ms

    def note(self, turn: Turn, rollback: Rollback, found: FoundInGHL) -> None:
        """Record that this turn has looked. Opt-outs that the state does not know count from now on.

        A reply that the state has lost proves the rollback: then an alert is due, and every lane looks into GHL.
        """
        event = {"step": "looked_back", "reply_ids": found.forgotten, "rolled_back_at_ms": rollback.at_ms}
        document = {
            "stops": [(one.id, one.channel, one.at_ms) for one in found.stops],
            "starts": [(one.id, one.channel, one.at_ms) for one in found.starts],
            "forgotten": found.forgotten,
            "event": orjson.dumps(event).decode(),
        }
        with reaching(f"note a look into GHL of {turn.lane}"):
            at = prefix_of(turn.lane)
            prefixes = [at, *beside(self._redis, at)]
            held = self._note(
                keys=prefixes, args=[str(turn.lane), turn.token, rollback.at_ms, orjson.dumps(document), self._retention_ms]
            )
        if not held:
            raise Fenced(f"the lease of {turn.lane} was lost")
