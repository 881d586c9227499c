"""The schedule and its leases: which lanes are due, which worker holds each, and for how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, Unpack
from uuid import uuid4

import orjson

from bridge.errors import Fenced
from bridge.model import Lane
from bridge.policy.loops import MOST_LOOKED_AT
from bridge.store.lanes.claims import NO_LIST, Claim, Claimant, WakeUpList, claims_on
from bridge.store.lanes.turns import read_turn
from bridge.store.limits.circuits import GHL_CIRCUITS, GHL_PROBE_MS
from bridge.store.locations.records import FIELDS
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import call_grouped
from bridge.store.redis.partitions import PARTITIONS, prefix_of, turn_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from redis import Redis

    from bridge.model import Turn
    from bridge.store.lanes.patch import LookupsAheadPatch
    from bridge.store.limits.budget import Budgets
    from bridge.store.redis.confirmations import Confirmation

MOST_MESSAGES_OF_A_TURN = 200
# The smallest share of a lease that is left after a renewal (renew.lua).
FRESH = 0.9
# The number of newest messages to read: few locations need more as history.
MOST_SAID = MOST_LOOKED_AT


class ScheduleOptions(TypedDict):
    """How long leases and stored data last, and how a post's record is confirmed; a lease reserves look-ups from `budgets`."""

    lease_seconds: float
    retention_ms: int
    clock: NotRequired[Callable[[], float]]
    budgets: NotRequired[Budgets | None]
    confirmation: NotRequired[Confirmation]


class Schedule:
    """Which lanes are due and who holds them. Each method is one round trip, and raises Unavailable if Redis can't be reached."""

    def __init__(self, redis: Redis, **options: Unpack[ScheduleOptions]) -> None:
        self._unclaim = redis.register_script(script("unclaim"))
        self._lease = redis.register_script(script("lease"))
        self._renew = redis.register_script(script("renew"))
        self._give_back = redis.register_script(script("give_back"))
        self._redis = redis
        self._claims = claims_on(redis)
        self._clock = options.get("clock", time.monotonic)
        self._budgets = options.get("budgets")
        self._lease_ms = round(options["lease_seconds"] * 1000)
        self._retention_ms = options["retention_ms"]

    @property
    def lease_seconds(self) -> float:
        """How long a claim or a lease lasts."""
        return self._lease_ms / 1000

    def claim(
        self,
        worker: str,
        *,
        slots: int,
        alive_seconds: float,
        most: int,
        wake_ups: WakeUpList = NO_LIST,
        partitions: Collection[int] = range(PARTITIONS),
    ) -> Claim:
        """Claim up to `most` due lanes of these partitions, at most as many as live workers have free slots, locations in turn.

        Their wake-ups are added to `wake_ups`; without that list the caller publishes them.
        """
        alive_ms = round(alive_seconds * 1000)
        mine = Claimant(worker=worker, slots=slots, alive_ms=alive_ms, lease_ms=self._lease_ms, most=most)
        with reaching("claim due lanes"):
            return self._claims.claim(mine, wake_ups, partitions)

    def unclaim(self, lanes: Iterable[Lane], *, pause: float) -> None:
        """Return claimed lanes whose wake-ups could not be published; they are due again after `pause` seconds."""
        with reaching("return claimed lanes"):
            some = list(map(str, lanes))
            call_grouped(self._unclaim, list(map(prefix_of, some)), [(one,) for one in some], first=[round(pause * 1000)])

    def lease(self, lane: Lane) -> Turn | None:
        """Lease a claimed lane for one turn; None if it isn't claimed, is held by another worker, or has no waiting message.

        The look-ups at GHL that the turn will probably make are reserved from `budgets` in the same call.
        """
        token = uuid4().hex
        began = self._clock()
        ahead = self._budgets.lookups_ahead(lane.location_id) if self._budgets else None
        with reaching(f"lease {lane}"):
            answer = self._take(lane, token, ahead)
        turn = read_turn(lane, token, (began, self._clock()), answer) if answer else None
        if turn and self._budgets:
            self._budgets.note_reserved(lane.location_id, int(answer[-1]), backfilled=turn.backfilled)
        return turn

    def reread(self, turn: Turn) -> Turn | None:
        """Read a turn again, under the same lease; None if no message waits any more, and the lane was returned."""
        began = self._clock()
        with reaching(f"read the turn of {turn.lane} again"):
            answer = self._take(turn.lane, turn.token)
        return read_turn(turn.lane, turn.token, (began, self._clock()), answer) if answer else None

    def _take(self, lane: Lane, token: str, ahead: LookupsAheadPatch | None = None) -> Any:
        most = (MOST_MESSAGES_OF_A_TURN, self._retention_ms, MOST_SAID)
        paid = orjson.dumps(ahead) if ahead else ""
        ghl = (*GHL_CIRCUITS, GHL_PROBE_MS)
        args = [str(lane), token, self._lease_ms, turn_id(lane), *most, paid, *ghl, *FIELDS]
        return self._lease(keys=[prefix_of(lane)], args=args)

    def renew(self, held: Iterable[Turn]) -> tuple[Lane, ...]:
        """Extend leases; returns the lanes whose lease is lost."""
        some = list(held)
        if not some:
            return ()
        pairs = [(str(turn.lane), turn.token) for turn in some]
        with reaching("renew leases"):
            prefixes = [prefix_of(turn.lane) for turn in some]
            found = call_grouped(self._renew, prefixes, pairs, first=[self._lease_ms])
        return tuple(Lane.parse(lost) for _, lanes in found for lost in lanes)

    def hold(self, turn: Turn) -> None:
        """Renew a lease right before an action that can't be undone.

        Raises Fenced if another worker holds it, or if it ended before Redis answered.
        """
        began = self._clock()
        if self.renew([turn]) or (self._clock() - began) * 1000 >= self._lease_ms * FRESH:
            raise Fenced(f"the lease of {turn.lane} was lost")

    def give_back(self, turn: Turn) -> bool:
        """Return the lane unchanged and due immediately, because this process stops. False if the lease was lost before."""
        with reaching(f"give {turn.lane} back"):
            return bool(self._give_back(keys=[prefix_of(turn.lane)], args=[str(turn.lane), turn.token, self._retention_ms]))
