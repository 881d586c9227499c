"""Applied settings reach contacts that are already waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import Again, Status
from bridge.operating import locations
from bridge.operating.locations import Apply
from bridge.store.locations.records import LANES_A_STEP
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import HERE, PROVIDED, accept, due_ms, keep, lanes_of, locations_of, message, take

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations
    from tests.world import World

HOUR_MS = 3_600_000
MANY = 2500


def apply(perform: Operations, **settings: Any) -> None:
    known = {**PROVIDED, "ghl_token": "pit", "contact_lookup": False, "debounce_seconds": 0.0}
    perform(locations.apply, Apply(locations={HERE: {**known, **settings}}))


def closed(redis: Redis) -> dict[str, Any]:
    """Settings of a location that opens in two hours."""
    now = datetime.fromtimestamp(now_ms(redis) / 1000, UTC)
    opens, closes = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (2, 3))
    return {"timezone": "UTC", "business_hours": (f"daily {opens}-{closes}",), "outside_hours": "defer"}


def is_due(redis: Redis) -> bool:
    return (due_ms(redis) or 0) <= now_ms(redis)


@pytest.fixture
def waiting(world: World) -> World:
    """A contact that waits for the opening."""
    world.keep(**closed(world.redis))
    world.write("m1")
    world.work()
    assert (due_ms(world.redis) or 0) > now_ms(world.redis) + HOUR_MS
    return world


def test_corrected_hours_reach_who_waits(waiting: World, perform: Operations) -> None:
    """A contact that waits for a wrong opening time is answered at once, and the wait is no attempt."""
    apply(perform)
    assert is_due(waiting.redis)
    waiting.keep()
    waiting.work()
    assert waiting.status("m1") == ("replied", "")


def test_the_same_hours_are_waited_for_again(waiting: World, perform: Operations) -> None:
    """After the change of another setting the turn checks the hours, and waits on until they begin."""
    apply(perform, **closed(waiting.redis), max_replies_per_day=7)
    waiting.work()
    assert waiting.status("m1") == ("waiting", "")
    assert (due_ms(waiting.redis) or 0) > now_ms(waiting.redis) + HOUR_MS


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"mode": "off"}, "location_paused"), ({"channels": ["Email"]}, "channel_off")],
)
def test_what_is_not_to_be_answered_any_more_waits_for_nothing(
    waiting: World, perform: Operations, settings: dict[str, Any], reason: str
) -> None:
    """Mode and channels count at once for waiting contacts, with their reason."""
    apply(perform, **closed(waiting.redis), **settings)
    waiting.work()
    assert waiting.status("m1") == ("skipped", reason)


@pytest.mark.parametrize(("before", "after"), [(1000.0, 5.0), (5.0, 1000.0)])
def test_a_changed_debounce_is_counted_from_the_message(redis: Redis, perform: Operations, before: float, after: float) -> None:
    """The wait, longer or shorter, is counted from the newest message."""
    keep(redis, debounce=before, most=5000.0)
    accept(redis, message("m1"))
    came = int(redis.hget(key("message", HERE, "m1"), "at") or 0)
    apply(perform, debounce_seconds=after, debounce_max_seconds=5000.0)
    assert due_ms(redis) == came + after * 1000


def test_a_wait_for_the_next_try_stays(redis: Redis, perform: Operations) -> None:
    """A failed turn is retried by the schedule, whatever is applied."""
    keep(redis)
    accept(redis, message("m1"))
    turn = take(lanes := lanes_of(redis))
    lanes.again(turn, [message("m1").id], Again(wait=500, why="busy"))
    due = due_ms(redis)
    apply(perform, max_replies_per_day=7)
    assert due_ms(redis) == due


def test_a_turn_that_began_before_looks_again(redis: Redis, perform: Operations) -> None:
    """Its worker has read the old hours: the turn is due at once, and the next one waits again."""
    keep(redis)
    accept(redis, message("m1"))
    later = Again(wait=5000, why="closed", counts=False, status=Status.WAITING)
    turn = take(lanes := lanes_of(redis))
    apply(perform, max_replies_per_day=7)
    lanes.again(turn, [message("m1").id], later)
    assert is_due(redis)
    lanes.again(take(lanes), [message("m1").id], later)
    assert not is_due(redis)


def test_thousands_who_wait_are_worked_out_in_steps(redis: Redis) -> None:
    """Each step is short, each lane is reached, and ten thousand need about a second of Redis or less."""
    keep(redis, debounce=1000.0, most=5000.0)
    accept(redis, *(message(f"m{number}", contact=f"c{number}") for number in range(MANY)))
    keep(redis)
    redis.config_resetstat()

    assert locations_of(redis).reconsider(HERE) == MANY

    spent = redis.info("commandstats")["cmdstat_evalsha"]
    assert spent["calls"] >= MANY // LANES_A_STEP
    assert spent["usec"] < 5_000_000 * MANY / 10_000
    assert redis.zcount(key("due", HERE), "-inf", now_ms(redis)) == MANY
