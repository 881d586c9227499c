"""GHL's rate limit per location: 100 requests in 10 s and 200,000 a day, shared by all processes.

A sliding window of the requests, corrected by GHL's headers. The next call to Redis also stores the headers of the last answer,
so a request costs one round trip. Rate limiter libraries support neither urgencies nor a limit that other clients use too.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import orjson

from bridge.errors import BudgetExhausted
from bridge.ghl.access import Need
from bridge.store.limits.ahead import VALID_SECONDS, LookupsAhead
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import call_grouped, in_order
from bridge.store.redis.partitions import prefix_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis import Redis

    from bridge.ghl.rate_limit_headers import Limits
    from bridge.model import LocationId
    from bridge.store.lanes.patch import LookupsAheadPatch, Permit, RateLimitReport

# The wait after a 429 without a wait; each further 429 doubles it. GHL's interval is 10 s.
SHORTEST_WAIT = 1.0
LONGEST_WAIT = 10.0
REMEMBERED = 10_000
# Redis serves no other client while a script reads this many locations: about a millisecond.
AT_ONCE = 100
NO_REPORT: RateLimitReport = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of a location's rate limit: `left` of `most` requests in `interval_seconds`, `left_today` of `most_today`.

    A day ends at midnight UTC. `wait_seconds` is how long its conversations wait for more, 0 if they don't.
    """

    left: int
    most: int
    interval_seconds: float
    left_today: int
    most_today: int
    wait_seconds: float


def left_of(redis: Redis, ids: Sequence[str]) -> dict[str, Left]:
    """What is left of these locations' rate limits. Raises Unavailable when Redis can't be reached."""
    left = redis.register_script(script("budgets"))
    batches = [ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE)]
    with reaching("read the remaining rate limits"):
        asked = (call_grouped(left, list(map(prefix_of, some)), [(one,) for one in some]) for some in batches)
        found = [row for grouped in asked for row in in_order(grouped)]
    return {id_: _left(row) for id_, row in zip(ids, found, strict=True)}


class Budgets:
    """The budgets of all locations, as one process sees them. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._acquire = redis.register_script(script("acquire"))
        self._rate_limited = redis.register_script(script("rate_limited"))
        self._clock = clock
        self._ahead = LookupsAhead(clock=clock)
        self._reports: dict[LocationId, tuple[RateLimitReport, float]] = {}

    def of(self, location_id: LocationId) -> LocationBudget:
        """One location's budget."""
        return LocationBudget(self, location_id)

    def acquire(self, location_id: LocationId, need: Need) -> None:
        """Take one request.

        Raises BudgetExhausted with the wait; then the location's lanes wait too, unless it is only the sweep's.
        """
        if need is Need.LOOKUP and self._ahead.use(location_id):
            return
        permit = self.permit(location_id, need)
        with reaching(f"take a request from the rate limit of {location_id}"):
            wait = int(self._acquire(keys=[prefix_of(location_id)], args=[location_id, orjson.dumps(permit)]))
        if wait:
            raise budget_exhausted(location_id, wait)

    def permit(self, location_id: LocationId, need: Need) -> Permit:
        """The permit with which a script takes one request, with GHL's last report of the rate limit."""
        report, at = self._reports.pop(location_id, (NO_REPORT, 0.0))
        ago = round((self._clock() - at) * 1000)
        return {"nonce": uuid4().hex, "part": int(need), "waits": need is not Need.SWEEP, "ago": ago, **report}

    def lookups_ahead(self, location_id: LocationId) -> LookupsAheadPatch | None:
        """The look-ups to reserve with a lease; None if there are none."""
        first, later = self._ahead.wanted(location_id)
        if not first and not later:
            return None
        permit = self.permit(location_id, Need.LOOKUP)
        return {"permit": permit, "first": first, "later": later, "valid": round(VALID_SECONDS * 1000)}

    def note_reserved(self, location_id: LocationId, count: int, *, backfilled: bool) -> None:
        """Record that a turn has begun with `count` reserved look-ups. `backfilled`: GHL's list of it was read before."""
        self._ahead.note_reserved(location_id, count, backfilled=backfilled)

    def learn_limits(self, location_id: LocationId, limits: Limits) -> None:
        """Keep the rate limit from an answer's headers for the next request."""
        if limits.most is None and limits.most_daily is None:
            return
        if len(self._reports) >= REMEMBERED:
            self._reports.clear()
        report = {name: one for name, one in asdict(limits).items() if one is not None}
        self._reports[location_id] = (cast("RateLimitReport", report), self._clock())

    def rate_limited(self, location_id: LocationId, retry_after: float | None, limits: Limits) -> None:
        """Let the location wait after a 429."""
        asked = -1 if retry_after is None else round(retry_after * 1000)
        over = int(limits.left_daily == 0)
        with reaching(f"note that the rate limit of {location_id} is used up"):
            self._rate_limited(
                keys=[prefix_of(location_id)],
                args=[location_id, asked, over, round(SHORTEST_WAIT * 1000), round(LONGEST_WAIT * 1000)],
            )


class LocationBudget:
    """One location's budget, as `access.Budget`."""

    def __init__(self, budgets: Budgets, location_id: LocationId) -> None:
        self._budgets = budgets
        self._location_id = location_id

    def acquire(self, need: Need) -> None:
        """Take one request. Raises BudgetExhausted."""
        self._budgets.acquire(self._location_id, need)

    def learn_limits(self, limits: Limits) -> None:
        """Keep the rate limit from an answer's headers."""
        self._budgets.learn_limits(self._location_id, limits)

    def rate_limited(self, retry_after: float | None, limits: Limits) -> None:
        """Let the location wait after a 429."""
        self._budgets.rate_limited(self._location_id, retry_after, limits)


def _left(row: Sequence[int]) -> Left:
    left, most, interval_ms, left_today, most_today, wait_ms = row
    return Left(
        left=left,
        most=most,
        interval_seconds=interval_ms / 1000,
        left_today=left_today,
        most_today=most_today,
        wait_seconds=wait_ms / 1000,
    )


def budget_exhausted(location_id: LocationId, wait_ms: int) -> BudgetExhausted:
    """The error for a used-up rate limit; the next request is allowed after `wait_ms`."""
    seconds = wait_ms / 1000
    return BudgetExhausted(f"GHL's budget of location {location_id} is used up for {seconds:.1f} s", retry_after=seconds)
