"""Claims of due lanes: on one server in one call for all partitions, in a cluster in one call for each.

In a cluster no script sees all slots. So a dispatcher first asks every partition for its occupied slots and its due locations,
and then distributes the free slots over the partitions with due locations. Two dispatchers at the same moment may claim more
lanes than there are slots: these wait at the broker for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bridge.model import Lane
from bridge.store.redis.cluster import ClusterRedis
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import call_each
from bridge.store.redis.partitions import HOME, PREFIXES
from bridge.store.redis.write_counts import WriteCount

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from redis import Redis

# A partition whose node is missing is asked again so soon (s).
MISSING_SECONDS = 1.0


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
    """Claimed lanes, and what was found in each partition that was asked. `unheard`: a claim by any worker has no turn yet.

    `missing` says why partitions of a cluster were not asked; empty: all were.
    """

    lanes: tuple[Lane, ...]
    looks: Mapping[int, PartitionClaim]
    unheard: bool = False
    missing: str = ""

    @property
    def next_due(self) -> float | None:
        """Seconds until the first lane is due; None if no lane waits."""
        return min((look.next_due for look in self.looks.values() if look.next_due is not None), default=None)

    @property
    def calm(self) -> bool:
        """Whether all partitions are."""
        return all(look.calm for look in self.looks.values())

    @property
    def leads(self) -> bool:
        """Whether this worker leads in all of them."""
        return all(look.leads for look in self.looks.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """The worker that claims: its slots, how long it counts as alive without another claim, the lease, and most lanes at once."""

    worker: str
    slots: int
    alive_ms: int
    lease_ms: int
    most: int

    def args(self, most: int) -> tuple[str | int, ...]:
        """The first arguments of a claim."""
        return (self.worker, self.slots, self.alive_ms, self.lease_ms, most)


class ServerClaims:
    """Claims on one server."""

    def __init__(self, redis: Redis) -> None:
        self._claim = redis.register_script(script("claim"))
        self._claims = WriteCount()

    def claim(self, mine: Claimant, wake_ups: WakeUpList, partitions: Collection[int]) -> Claim:
        """Raises what the client raises."""
        publishing = (wake_ups.name, wake_ups.head, wake_ups.tail, uuid4().hex, *self._claims.next())
        unheard, asked, *found = self._claim(
            keys=[HOME, *PREFIXES], args=[*mine.args(mine.most), *publishing, "", "", 0, *partitions]
        )
        self._claims.answered()
        looks = {number: _look(*look) for number, look in zip(partitions, found, strict=False)}
        return Claim(tuple(map(Lane.parse, found[asked:])), looks, unheard=bool(unheard))


@dataclass(frozen=True, slots=True)
class _Slots:
    """Of all partitions: the free slots, the most that one location may hold, and the due locations of each."""

    free: int
    most_of_one: int
    due: Mapping[str, int]


class ClusterClaims:
    """Claims in a cluster. A node that is missing leaves out its own partitions."""

    def __init__(self, redis: ClusterRedis) -> None:
        self._claim = redis.register_script(script("claim"))
        self._slots = redis.register_script(script("slots"))
        self._claims = {prefix: WriteCount() for prefix in PREFIXES}
        self._first = 0

    def claim(self, mine: Claimant, wake_ups: WakeUpList, partitions: Collection[int]) -> Claim:
        """Raises NodeMissing if no partition can be asked. There is no list for wake-ups: the broker is another server."""
        del wake_ups
        slots = self._ask(mine)
        shares = self._shares(slots, [PREFIXES[number] for number in partitions], mine.most)
        short = int(sum(slots.due.values()) > slots.free)

        def arguments(prefix: str) -> Sequence[Any]:
            claims = self._claims[prefix].next()
            return [*mine.args(shares[prefix]), "", "", "", "", *claims, slots.free, slots.most_of_one, short, 0]

        answers = call_each(self._claim, arguments, at=tuple(shares), at_home=True)
        answers.reached()
        for (prefix,), _ in answers.calls:
            self._claims[prefix].answered()
        found = {prefix: answer for (prefix,), answer in answers.calls}
        looks = {
            PREFIXES.index(one): _look(*found[one][2])
            if one in found
            else PartitionClaim(MISSING_SECONDS, calm=False, leads=True)
            for one in shares
        }
        granted = tuple(Lane.parse(lane) for _, _, _, *lanes in found.values() for lane in lanes)
        why = "; ".join(dict.fromkeys(map(str, answers.missing.values())))
        return Claim(granted, looks, unheard=any(answer[0] for answer in found.values()), missing=why)

    def _ask(self, mine: Claimant) -> _Slots:
        found = call_each(self._slots).calls
        workers = {f"{mine.worker}:{mine.slots}"}.union(*(live for _, (_, _, *live) in found))
        each = [int(worker.rpartition(":")[2]) for worker in workers]
        # A worker has a ninth more slots than it reports, as a reserve (Settings.worker_threads).
        free = sum(own + -(-own // 9) for own in each) - sum(taken for _, (taken, *_) in found)
        return _Slots(max(0, free), sum(each), {prefix: due for (prefix,), (_, due, *_) in found if due})

    def _shares(self, slots: _Slots, prefixes: Sequence[str], most: int) -> dict[str, int]:
        """The slots for each of the partitions that are asked; with too few slots the partitions take turns."""
        self._first += 1
        due = [prefix for prefix in prefixes if prefix in slots.due]
        first = self._first % (len(due) or 1)
        every, over = divmod(min(slots.free, most), len(due) or 1)
        shares = {prefix: every + (at < over) for at, prefix in enumerate((*due[first:], *due[:first]))}
        # Something may just have become due elsewhere.
        return {prefix: shares.get(prefix, min(1, slots.free)) for prefix in prefixes}


def claims_on(redis: Redis) -> ServerClaims | ClusterClaims:
    """How lanes are claimed with this client."""
    return ClusterClaims(redis) if isinstance(redis, ClusterRedis) else ServerClaims(redis)


def _look(wait: int, calm: int, leads: int) -> PartitionClaim:
    return PartitionClaim(None if wait < 0 else wait / 1000, calm=bool(calm), leads=bool(leads))
