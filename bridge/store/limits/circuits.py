"""Circuit breakers: which completion services are down, and whether GHL is, as seen by all workers (infra/decisions/0004)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import PREFIXES, key_at, members, prefix_of

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import Lane, Turn

CircuitState = Literal["closed", "open", "probe"]

FAULTS_UNTIL_OPEN = 5
LANES_UNTIL_OPEN = 3
# Failures that are further apart than this many probes are not consecutive.
PROBES_BETWEEN_FAULTS = 10
# The record of a circuit expires if nothing uses it for this time.
KEPT_MS = 3600 * 1000
# GHL has two circuits: for reads and for posts, which may fail while reads work.
GHL_READS, GHL_POSTS = "ghl-reads", "ghl-posts"
GHL_CIRCUITS = (GHL_READS, GHL_POSTS)
# All locations use the same host of GHL. A 500 may be caused by one conversation; no answer, or a gateway's error (502 and
# above), can't be, so the failures of a single conversation are enough.
GHL_FAULTS_UNTIL_OPEN = 3
# A probe may request a completion before it posts. If it takes longer, another probe may begin.
GHL_PROBE_MS = 30 * 1000
# Waiting conversations are answered within a minute after GHL recovers: probes are three times as frequent as a provider's.
GHL_PROBES = 3
# The time of a probe beyond its provider's time limit (s).
PROBE_MARGIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DownProvider:
    """A provider that is down: its name, a location that uses it, since when (Redis' clock), and how many lanes wait for it."""

    name: str
    location_id: str
    since_ms: int
    waiting: int


class Circuits:
    """One circuit for each provider and login. `every` is the time between probes (s).

    Every method is one round trip and raises Unavailable when Redis can't be reached.
    """

    def __init__(self, redis: Redis, *, every: float) -> None:
        self._redis = redis
        self._fault = redis.register_script(script("circuit_fault"))
        self._pass = redis.register_script(script("circuit_pass"))
        self._every_ms = round(every * 1000)

    def fault(self, circuit: str, turn: Turn, *, name: str, asked_at_ms: int) -> bool:
        """Record that a call of the provider failed; returns whether its circuit is open now."""
        limits = (FAULTS_UNTIL_OPEN, LANES_UNTIL_OPEN, self._every_ms)
        return self._note(circuit, turn, name, asked_at_ms, limits)

    def ghl_fault(self, circuit: str, turn: Turn, *, unreachable: bool, asked_at_ms: int) -> bool:
        """Record that a request to GHL failed; returns whether its circuit is open now.

        `unreachable`: the request itself can't be the cause.
        """
        needed = (GHL_FAULTS_UNTIL_OPEN, 1) if unreachable else (FAULTS_UNTIL_OPEN, LANES_UNTIL_OPEN)
        return self._note(circuit, turn, "GHL", asked_at_ms, (*needed, self._every_ms // GHL_PROBES))

    def _note(self, circuit: str, turn: Turn, name: str, asked_at_ms: int, limits: tuple[int, int, int]) -> bool:
        in_a_row_ms = PROBES_BETWEEN_FAULTS * self._every_ms
        with reaching(f"note a fault of {circuit}"):
            numbers = (*limits, in_a_row_ms, KEPT_MS)
            return bool(
                self._fault(keys=[prefix_of(turn.lane)], args=[circuit, str(turn.lane), turn.token, asked_at_ms, name, *numbers])
            )

    def passed(self, circuit: str, lane: Lane) -> None:
        """Record that the provider has answered a lane, whatever the answer; `Lanes.answered` does this too."""
        with reaching(f"close {circuit}"):
            self._pass(keys=[prefix_of(lane)], args=[circuit])

    def down(self) -> dict[str, DownProvider]:
        """The circuits that are open."""
        return open_circuits(self._redis)


def open_circuits(redis: Redis) -> dict[str, DownProvider]:
    """The open circuits by their ids; each partition has its own."""
    found: dict[str, DownProvider] = {}
    with reaching("look for open circuits"):
        ids = sorted(members(redis, "circuits:open"))
        if not ids:
            return found
        pipe = redis.pipeline(transaction=False)
        places = [(one, prefix) for one in ids for prefix in PREFIXES]
        for one, prefix in places:
            pipe.hmget(key_at(prefix, "circuit", one), "name", "location", "since")
            pipe.zcard(key_at(prefix, "circuit", one, "waiting"))
        answers = pipe.execute()
    for (one, _), (name, location, since), waiting in zip(places, answers[::2], answers[1::2], strict=True):
        if since:
            found[one] = _merged(found.get(one), DownProvider(name, location, int(since), waiting))
    return found


def _merged(known: DownProvider | None, another: DownProvider) -> DownProvider:
    """A provider that is down in several partitions, since the earliest time."""
    if known is None:
        return another
    first = min(known, another, key=lambda one: one.since_ms)
    return replace(first, waiting=known.waiting + another.waiting)
