"""The schedule and its leases: what is due, who holds it, and for how long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bridge.errors import Fenced
from bridge.model import Lane
from bridge.policy.loops import MOST_LOOKED_AT
from bridge.store.lanes.turns import read_turn
from bridge.store.locations.records import FIELDS
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis import Redis

    from bridge.model import Turn

MOST_MESSAGES_OF_A_TURN = 200
# Of the newest words: few locations want more as their history.
MOST_SAID = MOST_LOOKED_AT


@dataclass(frozen=True, slots=True)
class Claim:
    """Lanes taken off the schedule to be woken, and the seconds until the next one is due (None: nothing to wait for)."""

    lanes: tuple[Lane, ...]
    next_due: float | None


class Schedule:
    """Which lanes are due and who holds them. Every method is one round trip; Unavailable when Redis can't be reached."""

    def __init__(
        self, redis: Redis, *, lease_seconds: float, retention_ms: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._claim = redis.register_script(script("claim"))
        self._unclaim = redis.register_script(script("unclaim"))
        self._lease = redis.register_script(script("lease"))
        self._renew = redis.register_script(script("renew"))
        self._give_back = redis.register_script(script("give_back"))
        self._redis = redis
        self._clock = clock
        self._lease_ms = round(lease_seconds * 1000)
        self._retention_ms = retention_ms

    def claim(self, worker: str, *, slots: int, alive_seconds: float, most: int) -> Claim:
        """Take up to `most` due lanes, but no more than live workers have free slots, locations in turn."""
        with reaching("claim due lanes"):
            wait, *lanes = self._claim(args=[worker, slots, round(alive_seconds * 1000), self._lease_ms, most])
        return Claim(tuple(map(Lane.parse, lanes)), None if wait < 0 else wait / 1000)

    def unclaim(self, lanes: Iterable[Lane], *, pause: float) -> None:
        """Put back what was claimed and could not be published; it is due again after `pause` seconds."""
        with reaching("put claimed lanes back"):
            self._unclaim(args=[round(pause * 1000), *map(str, lanes)])

    def lease(self, lane: Lane) -> Turn | None:
        """Take a claimed lane for one turn; None when it isn't claimed, is held by another, or has nothing waiting."""
        token = uuid4().hex
        began = self._clock()
        with reaching(f"lease {lane}"):
            answer = self._take(lane, token)
        return read_turn(lane, token, began, answer) if answer else None

    def reread(self, turn: Turn) -> Turn | None:
        """A turn as it is now, under the same lease; None when nothing of it waits any more, and the lane was given back."""
        began = self._clock()
        with reaching(f"read the turn of {turn.lane} anew"):
            answer = self._take(turn.lane, turn.token)
        return read_turn(turn.lane, turn.token, began, answer) if answer else None

    def _take(self, lane: Lane, token: str) -> Any:
        most = (MOST_MESSAGES_OF_A_TURN, self._retention_ms, MOST_SAID)
        return self._lease(args=[str(lane), token, self._lease_ms, uuid4().hex, *most, *FIELDS])

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
