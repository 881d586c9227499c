"""The dispatcher: due lanes are published soon and once, and faults are compensated."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bridge.errors import BudgetExhausted
from bridge.ghl.access import Need
from bridge.model import ContactId, Ended, Lane, LocationId, Status
from bridge.store.limits.budget import Budgets
from bridge.store.redis.connection import connect, now_ms, text
from bridge.store.redis.partitions import channel
from tests.keys import key
from tests.stored import HERE, LANE, LONG, accept, eventually, keep, lanes_of, message, own_redis, pass_time
from workers.agenda import STANDBY_SECONDS
from workers.dispatcher import ALIVE_SECONDS, LONGEST_REST, LONGEST_SLEEP, MOST_AT_ONCE, Dispatcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from redis import Redis

    from bridge.store.lanes.leases import Lanes


@dataclass(slots=True)
class Queue:
    """The wake-ups. The next `failures` of them fail like in a broker's client."""

    redis: Redis
    failures: int = 0
    published: list[tuple[Lane, int]] = field(default_factory=list)

    def publish(self, lanes: Iterable[Lane]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionResetError
        now = now_ms(self.redis)
        self.published += [(lane, now) for lane in lanes]

    @property
    def lanes(self) -> list[Lane]:
        return [lane for lane, _ in self.published]


@contextmanager
def dispatching(redis: Redis, queue: Queue, *, lease: float = LONG, slots: int = 100) -> Iterator[Dispatcher]:
    dispatcher = Dispatcher(redis, lanes_of(redis, lease=lease), slots=slots, publish=queue.publish)
    thread = threading.Thread(target=dispatcher.run)
    thread.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        redis.publish(channel("wake"), "end the sleep that the next test would wait for")
        thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def queue(redis: Redis) -> Queue:
    keep(redis)
    return Queue(redis)


def lane(number: int) -> Lane:
    return Lane(HERE, ContactId(f"contact{number}"))


@pytest.mark.parametrize("debounce", [0.0, 0.25])
def test_what_is_due_is_published_at_once(redis: Redis, queue: Queue, debounce: float) -> None:
    """A dispatcher that sleeps because nothing is due is woken by a ring, and publishes right after the due time."""
    keep(redis, debounce=debounce)
    with dispatching(redis, queue):
        # The first sleep begins with the subscription; a ring before that is made up for by the next second.
        eventually(lambda: redis.pubsub_numsub(channel("wake"))[0][1])
        late = []
        for number in range(7):
            time.sleep(0.03)
            accept(redis, message(f"m{number}", f"contact{number}"))
            due = int(redis.hget(key("message", HERE, f"m{number}"), "at") or 0) + round(debounce * 1000)
            eventually(lambda: len(queue.published) > number)  # noqa: B023 - it is asked in this round only
            late.append(queue.published[number][1] - due)
    assert queue.lanes == [lane(number) for number in range(7)]
    assert min(late) >= 0
    # A busy machine may be slow several times; a missed ring would cost the rest of a second each time.
    assert sorted(late)[2] <= 200


def test_a_lane_is_published_once(redis: Redis, queue: Queue) -> None:
    """Several dispatchers publish each due lane once together, and no more than there are slots."""
    accept(redis, *(message(f"m{number}", f"contact{number}") for number in range(60)))
    with dispatching(redis, queue, slots=10), dispatching(redis, queue, slots=10), dispatching(redis, queue, slots=10):
        eventually(lambda: len(queue.published) >= 30)
        time.sleep(0.1)
    assert len(queue.lanes) == len(set(queue.lanes)) == 30


def test_a_finished_turn_makes_room_at_once(redis: Redis, queue: Queue) -> None:
    """While all slots are in use nothing is published; a turn that ends rings, and the next lane is published."""
    lanes = lanes_of(redis)
    accept(redis, *(message(f"m{number}", f"contact{number}") for number in range(10)))
    with dispatching(redis, queue, slots=1):
        began = time.monotonic()
        for number in range(10):
            eventually(lambda: len(queue.published) == number + 1)  # noqa: B023
            turn = lanes.lease(queue.lanes[-1])
            assert turn
            lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(turn.messages[0].id,)))
        assert time.monotonic() - began < 7 * LONGEST_SLEEP  # nine sleeps without a ring
    assert len(set(queue.lanes)) == 10


def test_a_backlog_is_published_without_a_pause(redis: Redis, queue: Queue) -> None:
    """More lanes than fit into one claim are published without a pause."""
    many = 8 * MOST_AT_ONCE + 50
    accept(redis, *(message(f"m{number}", f"contact{number}") for number in range(many)))
    began = time.monotonic()
    with dispatching(redis, queue, slots=1000):
        eventually(lambda: len(queue.published) == many)
        assert time.monotonic() - began < 4 * LONGEST_SLEEP  # eight pauses would be eight


@dataclass(slots=True)
class Workers:
    """Workers for the published lanes: a look-up at the beginning of a turn, a post ten seconds later."""

    redis: Redis
    budgets: Budgets
    lanes: Lanes
    running: list[tuple[int, Lane]] = field(default_factory=list)
    posted: list[Lane] = field(default_factory=list)

    def begin(self, lane: Lane, second: int) -> None:
        try:
            self.budgets.acquire(lane.location_id, Need.LOOKUP)
        except BudgetExhausted:
            self.lanes.unclaim([lane], pause=0)
        else:
            self.running.append((second, lane))

    def end(self, second: int) -> None:
        for one in [one for one in self.running if second - one[0] >= 10]:
            with suppress(BudgetExhausted):
                self.budgets.acquire(one[1].location_id, Need.POST)
                self.running.remove(one)
                self.posted.append(one[1])
                self.redis.zrem(key("inflight", of=one[1].location_id), str(one[1]))
                self.redis.zrem(key("due", one[1].location_id), one[1].contact_id)


def test_a_backlog_of_one_location_delays_no_other(redis: Redis) -> None:
    """Beside 50,000 waiting conversations of a location a single one of another is published as fast as alone.

    The big one's budget at GHL is used up all the time, half of it for look-ups and half for posts.
    """
    keep(redis, "big", "small")
    queue, lanes, now = Queue(redis), lanes_of(redis), now_ms(redis)
    redis.zadd(key("due", "big"), {f"c{number}": now - 50_000 + number for number in range(50_000)})
    redis.zadd(key("due", of="big"), {"big": now})
    workers = Workers(redis, Budgets(redis), lanes)
    dispatcher = Dispatcher(redis, lanes, slots=200, publish=queue.publish)
    late = []
    for second in range(24):
        accept(redis, message(f"m{second}", f"contact{second}", "small"))
        before = len(queue.published)
        dispatcher.dispatch()
        fresh = queue.lanes[before:]
        late.append(Lane(LocationId("small"), ContactId(f"contact{second}")) not in fresh)
        for one in fresh:
            workers.begin(one, second)
        workers.end(second)
        pass_time(redis, 1)
    assert late == [False] * 24
    assert 40 <= sum(lane.location_id == "big" for lane in workers.posted) <= 200


def test_a_publish_that_fails_is_made_up_for(redis: Redis, queue: Queue) -> None:
    """What the broker didn't accept is due again after the lease, and the dispatcher continues."""
    queue.failures = 2
    accept(redis, message())
    with dispatching(redis, queue, lease=0.2):
        eventually(lambda: LANE in queue.lanes)
    assert queue.failures == 0


def test_redis_may_go_and_come_back(tmp_path: Path) -> None:
    """A dispatcher survives its Redis: messages accepted before and after are published when it is back."""
    with own_redis(tmp_path) as server, connect(server.url) as redis:
        keep(redis)
        queue = Queue(redis)
        with dispatching(redis, queue):
            accept(redis, message("m0", "contact0"))
            eventually(lambda: lane(0) in queue.lanes)
            keep(redis, debounce=0.3)
            accept(redis, message("m1", "contact1"))
            server.kill()
            time.sleep(0.5)
            server.start()
            eventually(lambda: lane(1) in queue.lanes)
            keep(redis)
            accept(redis, message("m2", "contact2"))
            eventually(lambda: lane(2) in queue.lanes)


def test_what_makes_no_sense_does_not_end_it(redis: Redis, queue: Queue) -> None:
    """An unreadable entry is skipped; the others are published."""
    redis.zadd(key("due", HERE), {"a:b": 1})
    redis.zadd(key("due"), {HERE: 1})
    with dispatching(redis, queue):
        eventually(lambda: redis.zscore(key("due", HERE), "a:b") != 1)
        accept(redis, message())
        eventually(lambda: LANE in queue.lanes)


@pytest.mark.parametrize("reachable", [True, False])
def test_stopping_takes_no_longer_than_a_sleep(redis: Redis, queue: Queue, *, reachable: bool) -> None:
    """A dispatcher that sleeps, or waits for Redis, ends soon after the request, and claims nothing more."""
    client = redis if reachable else connect("redis://127.0.0.1:1/0")
    dispatcher = Dispatcher(client, lanes_of(client), slots=1, publish=queue.publish)
    thread = threading.Thread(target=dispatcher.run)
    thread.start()
    time.sleep(0.2)
    began = time.monotonic()
    dispatcher.stop()
    thread.join(10)
    assert time.monotonic() - began < 5 * LONGEST_SLEEP
    accept(redis, message())
    time.sleep(0.05)
    assert queue.published == []


def test_a_dispatcher_tells_that_its_worker_lives(redis: Redis, queue: Queue) -> None:
    """Each claim keeps the worker's slots counted for longer than the longest pause."""
    assert ALIVE_SECONDS > 2 * LONGEST_REST
    first = Dispatcher(redis, lanes_of(redis), slots=7, publish=queue.publish)
    second = Dispatcher(redis, lanes_of(redis), slots=8, publish=queue.publish)
    for each in (first, second, first):
        assert each.dispatch() == pytest.approx(LONGEST_REST, abs=0.1)
    members = redis.zrange(key("workers"), 0, -1)
    assert sorted(text(member).rpartition(":")[2] for member in members) == ["7", "8"]
    assert redis.zcount(key("workers"), now_ms(redis) + 2 * LONGEST_REST * 1000, "+inf") == 2


def test_who_stands_by_looks_after_the_leader(redis: Redis, queue: Queue) -> None:
    """It claims a moment after a due time, in case the leader is gone, and every second while something waits for a slot."""
    keep(redis, debounce=3)
    leader, other = (Dispatcher(redis, lanes_of(redis), slots=1, publish=queue.publish) for _ in range(2))
    accept(redis, message("m1"))
    due = leader.dispatch()
    assert due <= 3
    assert due - 0.3 < other.dispatch() - STANDBY_SECONDS <= due
    accept(redis, *(message(f"m{number}", f"contact{number}") for number in range(5)))
    pass_time(redis, 3)
    leader.dispatch()
    assert other.dispatch() == pytest.approx(LONGEST_SLEEP, abs=0.1)


def test_no_ring_is_lost_with_its_connection(redis: Redis, queue: Queue) -> None:
    """A dispatcher whose connection was cut and restored by the library claims at once."""
    with dispatching(redis, queue):
        eventually(lambda: redis.pubsub_numsub(channel("wake"))[0][1])
        time.sleep(0.1)
        late = []
        for number in range(3):
            redis.zadd(key("due", HERE), {f"contact{number}": now_ms(redis)})
            redis.zadd(key("due"), {HERE: now_ms(redis)})
            began = time.monotonic()
            redis.client_kill_filter(_type="pubsub")
            eventually(lambda: len(queue.published) > number)  # noqa: B023 - it is asked in this round only
            late.append(time.monotonic() - began)
    assert sorted(late)[1] < LONGEST_REST / 2
