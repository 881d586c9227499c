"""The schedule and its leases: what is due, who holds it, and for how long."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis import Redis

    from bridge.model import Turn
    from bridge.store.lanes.patch import LookupsAheadPatch
    from bridge.store.limits.budget import Budgets

MOST_MESSAGES_OF_A_TURN = 200
# Of the newest words: few locations want more as their history.
MOST_SAID = MOST_LOOKED_AT


@dataclass(frozen=True, slots=True)
class WakeUpList:
    """The broker's list on the state's own server, and what is put there to wake a worker up.

    `head` and `tail` stand before and after a message's body (JSON); `%ID%` in the tail becomes its id.
    """

    name: str
    head: str
    tail: str


NO_LIST = WakeUpList("", "", "")


@dataclass(frozen=True, slots=True)
class Claim:
    """Lanes taken off the schedule to be woken, and the seconds until the next one is due (None: nothing to wait for).

    `calm`: only that moment or a ring calls for another claim. `unheard`: of some claim, by any worker, no turn has begun yet.
    `leads`: this worker is rung and claims at the due times, the others stand by.
    """

    lanes: tuple[Lane, ...]
    next_due: float | None
    calm: bool = False
    unheard: bool = False
    leads: bool = True


class ScheduleOptions(TypedDict):
    """How long leases hold and what is written is kept; `budgets` are those from which a lease pays for look-ups."""

    lease_seconds: float
    retention_ms: int
    clock: NotRequired[Callable[[], float]]
    budgets: NotRequired[Budgets | None]


class Schedule:
    """Which lanes are due and who holds them. Every method is one round trip; Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, **options: Unpack[ScheduleOptions]) -> None:
        self._claim = redis.register_script(script("claim"))
        self._unclaim = redis.register_script(script("unclaim"))
        self._lease = redis.register_script(script("lease"))
        self._renew = redis.register_script(script("renew"))
        self._give_back = redis.register_script(script("give_back"))
        self._redis = redis
        self._clock = options.get("clock", time.monotonic)
        self._budgets = options.get("budgets")
        self._lease_ms = round(options["lease_seconds"] * 1000)
        self._retention_ms = options["retention_ms"]

    @property
    def lease_seconds(self) -> float:
        """How long a claim or a lease holds."""
        return self._lease_ms / 1000

    def claim(self, worker: str, *, slots: int, alive_seconds: float, most: int, wake_ups: WakeUpList = NO_LIST) -> Claim:
        """Take up to `most` due lanes, but no more than live workers have free slots, locations in turn.

        Their wake-ups are put into `wake_ups`; without that list the caller publishes them.
        """
        with reaching("claim due lanes"):
            mine = (worker, slots, round(alive_seconds * 1000), self._lease_ms, most)
            told = self._claim(args=[*mine, wake_ups.name, wake_ups.head, wake_ups.tail, uuid4().hex])
        wait, calm, unheard, leads, *lanes = told
        next_due = None if wait < 0 else wait / 1000
        return Claim(tuple(map(Lane.parse, lanes)), next_due, calm=bool(calm), unheard=bool(unheard), leads=bool(leads))

    def unclaim(self, lanes: Iterable[Lane], *, pause: float) -> None:
        """Put back what was claimed and could not be published; it is due again after `pause` seconds."""
        with reaching("put claimed lanes back"):
            self._unclaim(args=[round(pause * 1000), *map(str, lanes)])

    def lease(self, lane: Lane) -> Turn | None:
        """Take a claimed lane for one turn; None when it isn't claimed, is held by another, or has nothing waiting.

        The look-ups at GHL that it is likely to make are paid for from `budgets` along with it.
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
        """A turn as it is now, under the same lease; None when nothing of it waits any more, and the lane was given back."""
        began = self._clock()
        with reaching(f"read the turn of {turn.lane} anew"):
            answer = self._take(turn.lane, turn.token)
        return read_turn(turn.lane, turn.token, began, answer) if answer else None

    def _take(self, lane: Lane, token: str, ahead: LookupsAheadPatch | None = None) -> Any:
        most = (MOST_MESSAGES_OF_A_TURN, self._retention_ms, MOST_SAID)
        paid = orjson.dumps(ahead) if ahead else ""
        ghl = (*GHL_CIRCUITS, GHL_PROBE_MS)
        return self._lease(args=[str(lane), token, self._lease_ms, uuid4().hex, *most, paid, *ghl, *FIELDS])

    def renew(self, held: Iterable[Turn]) -> tuple[Lane, ...]:
        """Extend leases; answers the lanes whose lease is lost."""
        pairs = [part for turn in held for part in (str(turn.lane), turn.token)]
        with reaching("renew leases"):
            return tuple(map(Lane.parse, self._renew(args=[self._lease_ms, *pairs])))

    def hold(self, turn: Turn) -> None:
        """Renew a lease right before what can't be taken back. Raises Fenced if it is another's, or over before the answer."""
        began = self._clock()
        if self.renew([turn]) or (self._clock() - began) * 1000 >= self._lease_ms:
            raise Fenced(f"the lease of {turn.lane} was lost")

    def give_back(self, turn: Turn) -> bool:
        """Give the lane back untouched, due at once: this process is about to stop. False when the lease was lost before."""
        with reaching(f"give {turn.lane} back"):
            return bool(self._give_back(args=[str(turn.lane), turn.token, self._retention_ms]))
