"""GHL's rate limit per location: urgent requests go first, all processes share it, and GHL's count has priority."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from bridge.errors import BudgetExhausted, Unavailable
from bridge.ghl.access import Need
from bridge.ghl.rate_limit_headers import Limits
from bridge.model import Again, ContactId, Lane, LocationId, MessageId
from bridge.policy.retry import decide
from bridge.store.limits.budget import AT_ONCE, Budgets, Left, left_of
from bridge.store.redis.connection import connect, connect_without_retries
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import prefix_of
from tests.keys import key
from tests.stored import HERE, accept, claim, keep, lanes_of, message, own_redis, pass_time, snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

THERE = LocationId("there")
DAY_MS = 24 * 3600 * 1000


def acquire(redis: Redis, times: int, need: Need = Need.POST, location: LocationId = HERE) -> int:
    """Acquire this often, as two processes in turn; returns how often it was allowed."""
    each = (Budgets(redis), Budgets(redis))
    done = 0
    for number in range(times):
        try:
            each[number % 2].acquire(location, need)
        except BudgetExhausted:
            continue
        done += 1
    return done


def wait(redis: Redis, need: Need = Need.POST, location: LocationId = HERE) -> float:
    """How long no request is allowed."""
    with pytest.raises(BudgetExhausted, match="budget") as caught:
        Budgets(redis).acquire(location, need)
    return caught.value.retry_after or 0.0


def test_a_hundred_requests_in_ten_seconds(redis: Redis) -> None:
    """The limit is for all processes together; requests that are ten seconds old are allowed again."""
    assert acquire(redis, 60) == 60
    pass_time(redis, 4)
    assert acquire(redis, 60) == 40
    assert wait(redis) == pytest.approx(6, abs=2)
    pass_time(redis, 3)
    assert acquire(redis, 1) == 0
    pass_time(redis, 3.1)
    assert acquire(redis, 70) == 60


def test_one_locations_budget_is_not_anothers(redis: Redis) -> None:
    """Only the location that uses its limit lacks it."""
    assert acquire(redis, 110) == 100
    assert acquire(redis, 110, location=THERE) == 100


def test_the_urgent_goes_first(redis: Redis) -> None:
    """The sweep leaves requests for look-ups, those for guards, and those for finished answers, which may use all."""
    assert [acquire(redis, 100, need) for need in Need] == [50, 25, 15, 10]
    assert acquire(redis, 1, Need.POST) == 0


@pytest.mark.parametrize("need", Need)
def test_a_location_without_room_waits_and_holds_no_slot(redis: Redis, need: Need) -> None:
    """None of its lanes is claimed until a request is allowed; the sweep alone delays nobody. Other locations continue."""
    keep(redis, HERE, THERE)
    acquire(redis, int(need), need)
    seconds = wait(redis, need)
    accept(redis, message("m1"), message("m2", location=THERE))
    granted = {lane.location_id for lane in claim(lanes_of(redis))}
    # Nearly used up, a location is given no new turns, whoever used it.
    assert granted == ({HERE, THERE} if need is Need.SWEEP else {THERE})
    pass_time(redis, seconds)
    accept(redis, message("m3", "another"))
    pass_time(redis, 1)
    assert claim(lanes_of(redis)) or need is Need.SWEEP


def test_a_lane_that_waits_for_the_budget_keeps_its_place(redis: Redis) -> None:
    """When requests are allowed again it comes before later lanes."""
    keep(redis)
    accept(redis, message("m0", "first"))
    lanes = lanes_of(redis)
    turn = lanes.lease(claim(lanes)[0])
    assert turn
    accept(redis, *(message(f"m{number}", f"later{number}") for number in range(1, 20)))
    Budgets(redis).rate_limited(HERE, 5.0, Limits())
    again = decide(BudgetExhausted("used up", retry_after=5.0), attempts=9, delays=(), readback=())
    assert isinstance(again, Again)
    lanes.again(turn, [MessageId("m0")], again)
    assert claim(lanes) == ()
    pass_time(redis, 5.1)
    assert claim(lanes, most=1) == (Lane(HERE, ContactId("first")),)


def test_no_more_is_claimed_than_there_is_room_for(redis: Redis) -> None:
    """Of a backlog, as many turns are claimed as may make requests; the location is checked again a moment later."""
    keep(redis)
    accept(redis, *(message(f"m{number}", f"c{number}") for number in range(200)))
    acquire(redis, 40, Need.LOOKUP)
    assert len(claim(lanes_of(redis))) == 35
    acquire(redis, 35, Need.LOOKUP)
    assert claim(lanes_of(redis)) == ()
    pass_time(redis, 10)
    assert len(claim(lanes_of(redis))) > 35


def test_ghls_own_count_wins(redis: Redis) -> None:
    """Requests of others, reported in headers, are added to ours; a reported limit is used too."""
    budgets = Budgets(redis)
    budgets.acquire(HERE, Need.POST)
    budgets.learn_limits(HERE, Limits(most=50, left=10, interval_ms=20_000))
    budgets.acquire(HERE, Need.POST)
    assert acquire(redis, 100) == 9
    assert wait(redis) == pytest.approx(20, abs=1)
    assert acquire(redis, 200, location=THERE) == 100


def test_what_was_told_long_ago_is_not_counted(redis: Redis) -> None:
    """Headers describe the time of their answer: requests from then may have left the interval."""
    now = [0.0]
    budgets = Budgets(redis, clock=lambda: now[0])
    budgets.learn_limits(HERE, Limits(most=100, left=10, interval_ms=10_000))
    now[0] = 11.0
    budgets.acquire(HERE, Need.POST)
    assert acquire(redis, 200) == 99


def test_our_own_requests_are_not_counted_twice(redis: Redis) -> None:
    """Our requests in GHL's count change nothing, and those since its answer are only ours."""
    budgets = Budgets(redis)
    for number in range(50):
        budgets.acquire(HERE, Need.POST)
        budgets.learn_limits(HERE, Limits(most=100, left=99 - number, interval_ms=10_000))
    assert acquire(redis, 100) == 50


def test_a_larger_budget_ends_the_wait(redis: Redis) -> None:
    """As soon as GHL reports a higher limit, the location's lanes are due again."""
    keep(redis)
    accept(redis, message())
    acquire(redis, 90, Need.LOOKUP)
    assert claim(lanes_of(redis)) == ()
    budgets = Budgets(redis)
    budgets.learn_limits(HERE, Limits(most=1000, left=900, interval_ms=10_000))
    budgets.acquire(HERE, Need.LOOKUP)
    assert len(claim(lanes_of(redis))) == 1


@pytest.mark.parametrize(("asked", "seconds"), [(None, 1.0), (7.0, 7.0), (3600.0, 3600.0)])
def test_after_a_429_the_location_waits(redis: Redis, asked: float | None, seconds: float) -> None:
    """It waits as long as GHL asks, or a second; not even a post is made meanwhile, and other locations continue."""
    keep(redis, HERE, THERE)
    accept(redis, message("m1"), message("m2", location=THERE))
    Budgets(redis).rate_limited(HERE, asked, Limits())
    assert wait(redis) == pytest.approx(seconds, abs=0.2)
    assert {lane.location_id for lane in claim(lanes_of(redis))} == {THERE}
    pass_time(redis, seconds)
    assert acquire(redis, 1) == 1
    assert HERE in {lane.location_id for lane in claim(lanes_of(redis))}


def test_a_429_that_asks_for_no_wait_stops_nobody(redis: Redis) -> None:
    """The turn that gets it retries at once."""
    Budgets(redis).rate_limited(HERE, 0.0, Limits())
    assert acquire(redis, 1) == 1


def test_refusals_that_don_t_say_how_long_are_waited_for_longer_and_longer(redis: Redis) -> None:
    """The waits are 1, 2, 4, 8 and then 10 s; simultaneous refusals count as one."""
    waits = []
    for _ in range(6):
        for _ in range(20):
            Budgets(redis).rate_limited(HERE, None, Limits())
        waits.append(round(wait(redis)))
        pass_time(redis, 11)
    assert waits == [1, 2, 4, 8, 10, 10]


def test_a_shorter_wait_ends_no_longer_one(redis: Redis) -> None:
    """Two answers may have different waits."""
    Budgets(redis).rate_limited(HERE, 60.0, Limits())
    Budgets(redis).rate_limited(HERE, 1.0, Limits())
    assert wait(redis) == pytest.approx(60, abs=1)


def left_of_the_day(redis: Redis) -> float:
    seconds, _ = redis.time()
    return 24 * 3600 - int(seconds) % (24 * 3600)


def test_the_daily_budget_waits_for_its_reset(redis: Redis) -> None:
    """It is counted by days of UTC; the less urgent requests stop first, and after midnight they are allowed."""
    keep(redis)
    accept(redis, message())
    seconds, _ = redis.time()
    day = key("budget", HERE, str(int(seconds) * 1000 // DAY_MS))
    acquire(redis, 1)
    assert redis.get(day) == "1"
    redis.set(day, 150_000)
    assert wait(redis, Need.LOOKUP) == pytest.approx(left_of_the_day(redis), abs=5)
    assert acquire(redis, 1, Need.POST) == 1
    redis.set(day, 200_000)
    assert wait(redis) == pytest.approx(left_of_the_day(redis), abs=5)
    assert claim(lanes_of(redis)) == ()
    # Midnight: another day's count, and the wait is over.
    redis.rename(day, key("budget", HERE, "1"))
    pass_time(redis, left_of_the_day(redis) + 1)
    assert acquire(redis, 1) == 1
    assert len(claim(lanes_of(redis))) == 1


def test_ghls_own_daily_count_wins(redis: Redis) -> None:
    """The rest of the day is reported too; with nothing left, a 429 is waited out until midnight."""
    budgets = Budgets(redis)
    budgets.learn_limits(HERE, Limits(most_daily=1000, left_daily=1))
    budgets.acquire(HERE, Need.POST)
    assert wait(redis) == pytest.approx(left_of_the_day(redis), abs=5)
    budgets.rate_limited(THERE, None, Limits(most_daily=1000, left_daily=0))
    assert wait(redis, location=THERE) == pytest.approx(left_of_the_day(redis), abs=5)


def test_the_same_call_again_spends_once(redis: Redis) -> None:
    """redis-py may repeat a script."""
    run = redis.register_script(script("acquire"))
    budgets = Budgets(redis)
    budgets.learn_limits(HERE, Limits(most=100, left=90, interval_ms=10_000))
    args: list[str | bytes] = [HERE, orjson.dumps(budgets.permit(HERE, Need.POST))]
    assert run(keys=[prefix_of(HERE)], args=args) == 0
    before = snapshot(redis)
    assert run(keys=[prefix_of(HERE)], args=args) == 0
    assert snapshot(redis) == before


def test_a_full_redis_lets_requests_be_paid_for(tmp_path: Path) -> None:
    """At `maxmemory` accepted messages are still answered, with GHL's last limits."""
    with own_redis(tmp_path) as server, connect(server.url) as redis:
        budgets = Budgets(redis)
        redis.config_set("maxmemory", 1)
        for need in (Need.LOOKUP, Need.POST):
            budgets.learn_limits(HERE, Limits(most=100, left=90, interval_ms=10_000))
            budgets.acquire(HERE, need)
        assert left_of(redis, [HERE])[HERE].left == 88


def test_what_ghl_told_expires_though_nothing_was_spent(redis: Redis) -> None:
    """A location whose limit others have used gets one request, and leaves nothing behind."""
    budgets = Budgets(redis)
    budgets.learn_limits(HERE, Limits(most=100, left=0, interval_ms=10_000))
    with pytest.raises(BudgetExhausted):
        budgets.acquire(HERE, Need.POST)
    assert not [name for name in redis.scan_iter() if redis.pttl(name) < 0]


def test_everything_about_a_budget_expires(redis: Redis) -> None:
    """A location without further requests leaves nothing behind."""
    budgets = Budgets(redis)
    budgets.learn_limits(HERE, Limits(most=2, left=1, interval_ms=10_000, most_daily=10, left_daily=9))
    for _ in range(3):
        acquire(redis, 3)
        budgets.rate_limited(HERE, None, Limits())
    for name in redis.scan_iter("*"):
        assert redis.pttl(name) > 0, name


def test_without_redis_nothing_is_spent() -> None:
    """If the count is unknown, GHL gets no request."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        with pytest.raises(Unavailable, match="rate limit"):
            Budgets(nowhere).acquire(HERE, Need.POST)
        with pytest.raises(Unavailable, match="rate limit"):
            Budgets(nowhere).rate_limited(HERE, 1.0, Limits())


def test_what_is_left_is_told_without_taking_of_it(redis: Redis) -> None:
    """It has the interval's rest, which returns, and the day's, which doesn't, for each location."""
    acquire(redis, 30)
    before = snapshot(redis)
    found = left_of(redis, [HERE, THERE])
    assert snapshot(redis) == before
    assert found[HERE] == Left(left=70, most=100, interval_seconds=10, left_today=199_970, most_today=200_000, wait_seconds=0)
    assert found[THERE] == Left(left=100, most=100, interval_seconds=10, left_today=200_000, most_today=200_000, wait_seconds=0)
    pass_time(redis, 10.1)
    assert (left_of(redis, [HERE])[HERE].left, left_of(redis, [HERE])[HERE].left_today) == (100, 199_970)


def test_what_is_left_is_by_ghls_own_word(redis: Redis) -> None:
    """It uses the limits that GHL reported, and a wait that it asked for."""
    budgets = Budgets(redis)
    budgets.learn_limits(HERE, Limits(most=50, left=20, interval_ms=10_000, most_daily=1000, left_daily=400))
    budgets.acquire(HERE, Need.POST)
    told = left_of(redis, [HERE])[HERE]
    assert (told.left, told.most, told.left_today, told.most_today, told.wait_seconds) == (19, 50, 399, 1000, 0)
    budgets.rate_limited(HERE, 7, Limits())
    assert left_of(redis, [HERE])[HERE].wait_seconds == pytest.approx(7, abs=0.5)


def test_what_is_left_is_told_of_any_number_of_locations(redis: Redis) -> None:
    """The number may be zero, or more than one script reads."""
    acquire(redis, 7, location=THERE)
    ids = [*(LocationId(f"L{number}") for number in range(AT_ONCE)), THERE]
    found = left_of(redis, ids)
    assert (list(found), found[THERE].left, left_of(redis, [])) == (ids, 93, {})
