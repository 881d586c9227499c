"""Symptoms of problems in the stored state: read here, judged by `operating.diagnosis`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.store.figures.deliveries import failing
from bridge.store.figures.gauges import measure
from bridge.store.figures.health import missing_durability
from bridge.store.figures.rollbacks import last_rollback
from bridge.store.figures.warnings import capped_lanes, other_bot_lanes, refused_webhooks, spoken_stops, untyped_lanes
from bridge.store.lanes.handovers import open_handovers
from bridge.store.limits.circuits import open_circuits
from bridge.store.locations.sweeps import missed_locations
from bridge.store.redis.connection import now_ms, reaching, text
from bridge.store.redis.partitions import key, members
from bridge.store.redis.writable import TriedWrite, try_write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.store.figures.deliveries import Failing
    from bridge.store.figures.gauges import Gauges
    from bridge.store.figures.rollbacks import KnownRollback
    from bridge.store.lanes.handovers import Handover
    from bridge.store.limits.circuits import DownProvider
    from bridge.store.redis.connection import Redis


@dataclass(frozen=True, slots=True)
class Hold:
    """A location on hold: the side that refused three logins (`ghl`, `provider`), or `version`; since when (ms; 0: not known)."""

    side: str
    since_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptoms:
    """The state at `now_ms` (Redis' clock).

    `holds` by location id, `down` by circuit; `missed` are locations whose newest sweep found messages without a webhook,
    `refused_webhooks` counts those of the last ten minutes, `capped` are lanes that reached their reply limit within the last
    hour, newest first, `untyped` those in which a text of an unknown message type was skipped within the last day, `spoken_stops`
    those with an opt-out by voice note within the last day that is still in force, `other_bot` those in which GHL's own bot
    answered first. `handovers` are contacts that wait for a person, `missing_durability` names the missing settings for
    durability, `failing` are locations with undelivered replies within an hour, `tried` is the result of a small write,
    `rollback` describes writes that the state has lost within the last day.
    """

    now_ms: int
    gauges: Gauges
    holds: Mapping[str, Hold] = field(default_factory=dict)
    down: Mapping[str, DownProvider] = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    refused_webhooks: int = 0
    capped: tuple[str, ...] = ()
    untyped: tuple[str, ...] = ()
    spoken_stops: tuple[str, ...] = ()
    other_bot: tuple[str, ...] = ()
    handovers: tuple[Handover, ...] = ()
    missing_durability: tuple[str, ...] = ()
    failing: Mapping[str, Failing] = field(default_factory=dict)
    tried: TriedWrite = field(default_factory=TriedWrite)
    rollback: KnownRollback | None = None


def look(redis: Redis, *, replicas: int = 0) -> Symptoms:
    """Read all symptoms; a number of replicas must confirm a write. Raises Unavailable when Redis can't be reached."""
    with reaching("tell the time"):
        now = now_ms(redis)
    return Symptoms(
        now_ms=now,
        gauges=measure(redis),
        holds=holds_of(redis),
        down=open_circuits(redis),
        missed=missed_locations(redis),
        refused_webhooks=refused_webhooks(redis),
        capped=capped_lanes(redis),
        untyped=untyped_lanes(redis),
        spoken_stops=spoken_stops(redis),
        other_bot=other_bot_lanes(redis),
        handovers=open_handovers(redis),
        missing_durability=missing_durability(redis),
        failing=failing(redis),
        tried=try_write(redis, replicas=replicas),
        rollback=last_rollback(redis, now),
    )


def holds_of(redis: Redis) -> dict[str, Hold]:
    """The locations on hold, by id. Raises Unavailable."""
    with reaching("look for locations on hold"):
        ids = sorted(members(redis, "holds"))
        pipe = redis.pipeline(transaction=False)
        for one in ids:
            pipe.hmget(key("location", one), ["hold_why", "hold"])
        found = pipe.execute()
    return {one: Hold(text(side or ""), int(since or 0)) for one, (side, since) in zip(ids, found, strict=True)}
