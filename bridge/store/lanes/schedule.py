"""The schedule and its leases: which lanes are due, which worker holds each, and for how long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, Unpack
from uuid import uuid4

import orjson

from bridge.errors import Fenced
from bridge.model import Lane
from bridge.policy.loops import MOST_LOOKED_AT
from bridge.store.lanes.turns import read_turn
from bridge.store.limits.circuits import GHL_CIRCUITS, GHL_PROBE_MS
from bridge.store.locations.records import FIELDS
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME, PARTITIONS, PREFIXES, prefix_of, turn_id
from bridge.store.redis.write_counts import WriteCount

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

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


@dataclass(frozen=True, slots=True)
class WakeUpList:
    """The broker's list if it is on the same Redis as the state, and the message that is added to it to wake a worker.

    `head` and `tail` are the text before and after a message's body (JSON); `%ID%` in the tail becomes its id.
    """

    name: str
    head: str
    tail: str


NO_LIST = WakeUpList("", "", "")


@dataclass(frozen=True, slots=True)
class PartitionClaim:
    """What a claim found in a partition: the seconds until its next lane is due (None: no lane waits).

    `calm`: another claim is needed only then or after a wake-up. `leads`: this worker receives its wake-ups and claims at the due
    times; the others are on standby.
    """

    next_due: float | None
    calm: bool
    leads: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """Claimed lanes, and the result in each partition. `unheard`: a claim of any worker has no turn yet."""

    lanes: tuple[Lane, ...]
    looks: Mapping[int, PartitionClaim]
    unheard: bool = False

    @property
    def next_due(self) -> float | None:
        """Seconds until the first lane is due; None if no lane waits."""
        return min((look.next_due for look in self.looks.values() if look.next_due is not None), default=None)

    @property
    def calm(self) -> bool:
        """Whether all partitions are calm."""
        return all(look.calm for look in self.looks.values())

    @property
    def leads(self) -> bool:
        """Whether this worker leads in all of them."""
        return all(look.leads for look in self.looks.values())


class ScheduleOptions(TypedDict):
    """How long leases and stored data last, and who confirms the note before a post; a lease reserves look-ups from `budgets`."""

    lease_seconds: float
    retention_ms: int
    clock: NotRequired[Callable[[], float]]
    budgets: NotRequired[Budgets | None]
    confirmation: NotRequired[Confirmation]


class Schedule:
    """Which lanes are due and who holds them. Each method is one round trip, and raises Unavailable if Redis can't be reached."""

    def __init__(self, redis: Redis, **options: Unpack[ScheduleOptions]) -> None:
        self._claim = redis.register_script(script("claim"))
        self._unclaim = redis.register_script(script("unclaim"))
        self._lease = redis.register_script(script("lease"))
        self._renew = redis.register_script(script("renew"))
        self._give_back = redis.register_script(script("give_back"))
        self._redis = redis
        self._claims = WriteCount()
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
        with reaching("claim due lanes"):
            mine = (worker, slots, round(alive_seconds * 1000), self._lease_ms, most)
            told = (wake_ups.name, wake_ups.head, wake_ups.tail, uuid4().hex, *self._claims.next())
            unheard, asked, *found = self._claim(keys=[HOME, *PREFIXES], args=[*mine, *told, *partitions])
        self._claims.answered()
        looks = {number: _look(*look) for number, look in zip(partitions, found, strict=False)}
        return Claim(tuple(map(Lane.parse, found[asked:])), looks, unheard=bool(unheard))

    def unclaim(self, lanes: Iterable[Lane], *, pause: float) -> None:
        """Return claimed lanes whose wake-ups could not be published; they are due again after `pause` seconds."""
        with reaching("return claimed lanes"):
            some = list(map(str, lanes))
            self._unclaim(keys=list(map(prefix_of, some)), args=[round(pause * 1000), *some])

    def lease(self, lane: Lane) -> Turn | None:
        """Lease a claimed lane for one turn; None if it isn't claimed, is held by another worker, or has no waiting message.

        The look-ups at GHL that the turn will probably make are reserved from `budgets` in the same call.
        """
        token = uuid4().hex
        began = self._clock()
        ahead = self._budgets.lookups_ahead(lane.location_id) if self._budgets else None
        with reaching(f"lease {lane}"):
            answer = self._take(lane, token, ahead)
        turn = read_turn(lane, token, began, answer) if answer else None
        if turn and self._budgets:
            self._budgets.paid_ahead(lane.location_id, int(answer[-1]), topped=turn.topped)
        return turn

    def reread(self, turn: Turn) -> Turn | None:
        """Read a turn again, under the same lease; None if no message waits any more, and the lane was returned."""
        began = self._clock()
        with reaching(f"read the turn of {turn.lane} again"):
            answer = self._take(turn.lane, turn.token)
        return read_turn(turn.lane, turn.token, began, answer) if answer else None

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
        pairs = [part for turn in some for part in (str(turn.lane), turn.token)]
        with reaching("renew leases"):
            prefixes = [prefix_of(turn.lane) for turn in some]
            return tuple(map(Lane.parse, self._renew(keys=prefixes, args=[self._lease_ms, *pairs])))

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


def _look(wait: int, calm: int, leads: int) -> PartitionClaim:
    return PartitionClaim(None if wait < 0 else wait / 1000, calm=bool(calm), leads=bool(leads))
