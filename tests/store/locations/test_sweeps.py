"""The schedule of sweeps: each location in time, by one process, and at once after the receivers were away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Unavailable
from bridge.model import LocationId
from bridge.store.lanes.swept import SweptMessages
from bridge.store.locations.sweeps import BELIEVED_SECONDS, LEASE_SECONDS, DueSweep, Progress, Sweeps, missed_locations
from bridge.store.redis.connection import connect_without_retries
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, RETENTION_MS, accept, keep, locations_of, message, pass_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

THERE = LocationId("there")


def claimed(redis: Redis) -> list[str]:
    """Claim all that is due."""
    found: list[str] = []
    while isinstance(due := Sweeps(redis).claim(), DueSweep):
        found.append(due.location_id)
    return found


def found_of(redis: Redis) -> SweptMessages:
    return SweptMessages(redis, retention_ms=RETENTION_MS, fernet_keys=[FERNET_KEY])


def test_a_location_is_swept_after_its_interval(redis: Redis) -> None:
    """The first sweep is an interval after the first apply, by one process at a time; 0 switches it off."""
    keep(redis, HERE, reconcile_minutes=0.5)
    keep(redis, THERE, reconcile_minutes=10)
    keep(redis, "never", reconcile_minutes=0)
    assert claimed(redis) == []
    pass_time(redis, 31)
    assert claimed(redis) == [HERE]
    pass_time(redis, 600)
    assert sorted(claimed(redis)) == [HERE, THERE]


def test_who_finds_nothing_due_knows_for_how_long(redis: Redis) -> None:
    """It is the time until the first location, or for ever."""
    assert Sweeps(redis).claim() == math.inf
    keep(redis, reconcile_minutes=10)
    keep(redis, THERE, reconcile_minutes=0.5)
    assert Sweeps(redis).claim() == pytest.approx(30, abs=5)


def test_a_sweeper_that_dies_leaves_its_location_due(redis: Redis) -> None:
    """After the lease another process takes it."""
    keep(redis, reconcile_minutes=0.5)
    pass_time(redis, 31)
    assert claimed(redis) == [HERE]
    pass_time(redis, LEASE_SECONDS - 5)
    assert claimed(redis) == []
    pass_time(redis, 6)
    assert claimed(redis) == [HERE]


def test_a_shorter_interval_counts_at_once(redis: Redis) -> None:
    """A longer one counts from the next sweep on, and none at once."""
    keep(redis, reconcile_minutes=10)
    keep(redis, reconcile_minutes=0.1)
    keep(redis, reconcile_minutes=60)
    pass_time(redis, 7)
    assert claimed(redis) == [HERE]
    keep(redis, reconcile_minutes=0)
    pass_time(redis, 10_000)
    assert claimed(redis) == []


def test_a_sweep_goes_on_where_it_was(redis: Redis) -> None:
    """Its progress is stored, and the next one is due at the given time."""
    keep(redis, reconcile_minutes=0.1)
    pass_time(redis, 7)
    due = Sweeps(redis).claim()
    assert isinstance(due, DueSweep)
    assert due.progress == Progress()
    progress = Progress(since_ms=1, cursor_ms=2, begun_ms=3)
    Sweeps(redis).done(HERE, progress, seconds=5)
    assert Sweeps(redis).of(HERE).progress == progress
    assert claimed(redis) == []
    pass_time(redis, 6)
    again = Sweeps(redis).claim()
    assert isinstance(again, DueSweep)
    assert (again.progress.cursor_ms, again.progress.begun_ms) == (2, 3)


def test_a_removed_location_is_swept_no_more(redis: Redis) -> None:
    """This holds even if a sweep of it ends afterwards; no data of its sweeps is stored."""
    keep(redis, reconcile_minutes=0.1)
    accept(redis, message())
    Sweeps(redis).done(HERE, Progress(), seconds=5, missed=True)
    locations_of(redis).remove(HERE)
    Sweeps(redis).done(HERE, Progress(), seconds=5)
    pass_time(redis, 1000)
    assert (claimed(redis), missed_locations(redis)) == ([], ())
    assert not redis.exists(key("recorded", HERE))


def test_what_was_missed_is_told_until_a_sweep_finds_nothing(redis: Redis) -> None:
    """An unfinished sweep doesn't change it."""
    keep(redis, HERE, THERE)
    sweeps = Sweeps(redis)
    for missed, told in ((True, (HERE,)), (None, (HERE,)), (False, ()), (None, ())):
        sweeps.done(HERE, Progress(), seconds=5, missed=missed)
        assert missed_locations(redis) == told
    sweeps.done(HERE, Progress(), seconds=5, missed=True)
    sweeps.done(HERE, Progress(), seconds=None)
    assert missed_locations(redis) == ()


def test_after_the_receiver_was_away_everything_is_swept_at_once(redis: Redis) -> None:
    """This happens once, when the first receiver returns; as long as one lives, no sweep is earlier."""
    keep(redis, HERE, THERE)
    sweeps = Sweeps(redis)
    assert (sweeps.beat(), sorted(claimed(redis))) == (True, [HERE, THERE])
    for location in (HERE, THERE):
        sweeps.done(location, Progress(), seconds=600)
    for _ in range(3):
        pass_time(redis, BELIEVED_SECONDS / 2)
        assert (sweeps.beat(), claimed(redis)) == (False, [])
    pass_time(redis, BELIEVED_SECONDS + 1)
    assert (Sweeps(redis).beat(), sweeps.beat()) == (True, False)
    assert sorted(claimed(redis)) == [HERE, THERE]


def test_every_inbound_message_is_recorded(redis: Redis) -> None:
    """Unanswered messages are included; the newest counts, whenever an older one arrives, and no time is far in the future."""
    keep(redis)
    accept(redis, message("m1", "ana", date_added_ms=2000), message("m2", "ana", date_added_ms=1000))
    accept(redis, message("m3", "bob", date_added_ms=0), message("m4", "eve", date_added_ms=99_999_999_999_999))
    seconds, _ = redis.time()
    now = int(seconds) * 1000
    recorded = found_of(redis).recorded(HERE, ["ana", "bob", "eve", "nobody"])  # type: ignore[list-item] # ids are texts
    ana, bob, eve, nobody = recorded.values()
    # Older than a week: nothing is remembered of it.
    assert (ana, nobody) == (0, 0)
    assert bob == pytest.approx(now, abs=5000)
    assert eve == pytest.approx(now + 3_600_000, abs=5000)


def test_the_sweeps_finds_are_no_events(redis: Redis) -> None:
    """They don't show that webhooks arrive, nor that a location is active."""
    keep(redis)
    assert found_of(redis).take([message("m1", date_added_ms=1)]) == ["accepted"]
    kept = locations_of(redis).get(HERE)
    assert kept
    assert (kept.last_event_at_ms, kept.marketplace_at_ms) == (0, 0)
    assert found_of(redis).take([message("m1", date_added_ms=1)]) == ["duplicate"]
    accept(redis, message("m2"))
    kept = locations_of(redis).get(HERE)
    assert kept
    assert kept.last_event_at_ms > 0


def test_without_redis_nothing_is_swept() -> None:
    """Every method reports it."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        sweeps, found = Sweeps(nowhere), found_of(nowhere)
        acts: list[Callable[[], object]] = [
            sweeps.claim,
            sweeps.beat,
            lambda: sweeps.done(HERE, Progress(), seconds=1),
            lambda: missed_locations(nowhere),
            lambda: found.take([message()]),
            lambda: found.is_known(message()),
            lambda: found.recorded(HERE, ["ana"]),  # type: ignore[list-item] # ids are texts
        ]
        for act in acts:
            with pytest.raises(Unavailable):
                act()
