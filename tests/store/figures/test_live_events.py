"""Live view: the newest events of all lanes, without texts, up to a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import Unavailable
from bridge.model import ContactId, Ended, Lane, LocationId, MessageId, Status
from bridge.store.figures.charts import chart
from bridge.store.figures.live_events import NOTHING, LiveEvents
from bridge.store.redis.connection import connect_without_retries, now_ms
from tests.keys import key
from tests.stored import HERE, LANE, RETENTION_MS, accept, keep, lanes_of, message, pass_time, take

if TYPE_CHECKING:
    from redis import Redis


def reply(redis: Redis, id_: str = "m1") -> None:
    """A message and its reply."""
    lanes = lanes_of(redis)
    accept(redis, message(id_, text="a secret text"))
    turn = take(lanes)
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(MessageId(id_),)))


def test_events_are_seen_newest_first(redis: Redis) -> None:
    """They are of every lane, with their times."""
    keep(redis, HERE, "there")
    reply(redis)
    accept(redis, message("m2", "other", "there"))
    seen = LiveEvents(redis).newest(10)
    assert [(each.lane, each.step) for each in seen] == [
        (Lane(LocationId("there"), ContactId("other")), "accepted"),
        (LANE, "replied"),
        (LANE, "accepted"),
    ]
    assert all(0 <= now_ms(redis) - each.at_ms < 60_000 for each in seen)
    assert "secret" not in str(seen)
    assert [each.step for each in LiveEvents(redis).newest(1)] == ["accepted"]


def test_the_newest_event_tells_that_something_happened(redis: Redis) -> None:
    """It stays the same as long as nothing happens."""
    keep(redis)
    live = LiveEvents(redis)
    assert live.last() == NOTHING
    accept(redis, message("m1"))
    first = live.last()
    assert live.last() == first
    accept(redis, message("m2"))
    assert live.last() != first


def test_steps_of_a_turn_are_told_to_those_who_watch(redis: Redis) -> None:
    """After the first look each step is visible as new; after a while without looks only a turn's end is."""
    keep(redis)
    accept(redis, message("m1"), message("m2", "other"))
    live, lanes = LiveEvents(redis), lanes_of(redis)
    turn = take(lanes)

    def step(at_ms: int) -> None:
        lanes.unanswered(turn, at_ms=at_ms, provider="assistable", why="down", may_deliver=False)

    before = redis.zscore(key("recent"), str(LANE))
    step(1)
    assert redis.zscore(key("recent"), str(LANE)) == before
    opened = live.last()
    assert 0 < redis.pttl(key("watched")) <= 30_000
    step(2)
    second = live.last()
    step(3)
    assert len({opened, second, live.last()}) == 3
    redis.delete(key("watched"))
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(MessageId("m1"),)))
    assert live.newest(1)[0].step == "replied"


def test_what_is_watched_is_bounded_and_expires(redis: Redis) -> None:
    """After a busy day there are several hundred lanes, and after a quiet month none."""
    keep(redis)
    accept(redis, *(message(f"m{number}", f"c{number}") for number in range(800)))
    assert 500 <= redis.zcard(key("recent")) <= 550
    assert 0 < redis.pttl(key("recent")) <= RETENTION_MS
    assert len(LiveEvents(redis).newest(500)) == 500


def test_a_timeline_lasts_from_the_end_of_its_turn(redis: Redis) -> None:
    """An event within a turn does not extend the expiry; an end a minute after its message does, and so does the next one."""
    keep(redis)
    accept(redis, message("m1"))
    lanes = lanes_of(redis)
    turn = take(lanes)
    redis.pexpire(key("timeline", str(LANE)), 60_000)
    lanes.unanswered(turn, at_ms=1, provider="assistable", why="down", may_deliver=False)
    assert redis.pttl(key("timeline", str(LANE))) <= 60_000
    pass_time(redis, 61)
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(MessageId("m1"),)))
    assert redis.pttl(key("timeline", str(LANE))) > 60_000
    redis.pexpire(key("timeline", str(LANE)), 60_000)
    accept(redis, message("m2"))
    assert redis.pttl(key("timeline", str(LANE))) > 60_000


@pytest.mark.parametrize("span", ["minute", "hour"])
def test_charts_tell_what_became_of_messages(redis: Redis, span: str) -> None:
    """The newest bucket is the current one, and empty buckets are included."""
    keep(redis)
    reply(redis)
    buckets = chart(redis, span, 24)  # type: ignore[arg-type]
    assert len(buckets) == 24
    total = [sum(bucket.counts.get(name, 0) for bucket in buckets) for name in ("accepted", "replied", "dead")]
    assert total == [1, 1, 0]
    assert any("reply_ms" in bucket.counts for bucket in buckets[-2:])
    assert 0 <= now_ms(redis) - buckets[-1].at_ms < 3_600_000
    assert all(redis.pttl(name) > 0 for name in redis.scan_iter(key("chart", "*")))


def test_without_redis_nothing_is_seen() -> None:
    """Reading reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        for look in (lambda: LiveEvents(nowhere).newest(1), LiveEvents(nowhere).last, lambda: chart(nowhere, "hour", 24)):
            with pytest.raises(Unavailable):
                look()
