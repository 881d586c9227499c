"""The flush of counts: a worker's counts are soon in Redis, and a missing Redis stops nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bridge.metrics import TRIES, Tally
from bridge.store.figures.counts import Counts
from bridge.store.redis.connection import connect_without_retries
from tests.stored import eventually
from workers.count_flush import CountFlush

if TYPE_CHECKING:
    from redis import Redis


def test_it_reports_until_it_is_stopped(redis: Redis) -> None:
    """Counts are written in batches, each once."""
    tally, counts = Tally(), Counts(redis)
    reporter = CountFlush(tally, counts, every=0.01)
    thread = threading.Thread(target=reporter.run)
    thread.start()
    for _ in range(5):
        tally.count(TRIES, "ended")
    eventually(lambda: counts.totals() == {"tries|ended": 5})
    reporter.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_what_can_not_be_reported_is_reported_later(redis: Redis) -> None:
    """An unreachable Redis does not end the process, and no counts are lost."""
    tally = Tally()
    tally.count(TRIES, "ended")
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        CountFlush(tally, Counts(nowhere)).report()
    CountFlush(tally, Counts(redis)).report()
    assert Counts(redis).totals() == {"tries|ended": 1}
