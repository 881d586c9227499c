"""Look-ups that a lease reserves: as many as the location's last turns made, within GHL's rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import BudgetExhausted
from bridge.ghl.access import Need
from bridge.model import Ended, LocationId, MessageId, Status
from bridge.store.lanes.leases import Lanes
from bridge.store.limits.ahead import VALID_SECONDS, LookupsAhead
from bridge.store.limits.budget import Budgets
from bridge.store.limits.circuits import GHL_READS
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import HERE, LANE, LONG, RETENTION_MS, accept, claim, keep, message, pass_time

if TYPE_CHECKING:
    from redis import Redis


def lanes_with(redis: Redis, budgets: Budgets) -> Lanes:
    return Lanes(redis, lease_seconds=LONG, retention_ms=RETENTION_MS, budgets=budgets)


def turn(redis: Redis, lanes: Lanes, budgets: Budgets, id_: str, look_ups: int) -> int:
    """A turn with this many look-ups; returns how many permits needed their own calls."""
    accept(redis, message(id_))
    claim(lanes)
    taken = lanes.lease(LANE)
    assert taken
    before = spent(redis)
    for _ in range(look_ups):
        budgets.acquire(HERE, Need.LOOKUP)
    asked = spent(redis) - before
    lanes.end(taken, Ended(status=Status.REPLIED, message_ids=(MessageId(id_),)))
    return asked


def spent(redis: Redis) -> int:
    return int(redis.zcard(key("budget", HERE)))


def test_a_lease_pays_for_as_many_as_turns_make(redis: Redis) -> None:
    """The first turn acquires each request separately; a turn that makes more acquires the rest."""
    keep(redis)
    budgets = Budgets(redis)
    lanes = lanes_with(redis, budgets)
    assert [turn(redis, lanes, budgets, f"m{number}", made) for number, made in enumerate([2, 2, 2, 3])] == [2, 0, 0, 1]
    assert spent(redis) == int(redis.get(next(redis.scan_iter(key("budget", HERE, "*")))) or 0) == 9


def test_turns_that_look_up_nothing_are_paid_nothing_for(redis: Redis) -> None:
    """An unused reservation is used by the next turn, or lost after a second; soon no more are made."""
    keep(redis)
    now = [0.0]
    budgets = Budgets(redis, clock=lambda: now[0])
    lanes = lanes_with(redis, budgets)
    turn(redis, lanes, budgets, "m1", 2)
    turn(redis, lanes, budgets, "m2", 0)
    assert spent(redis) == 4
    turn(redis, lanes, budgets, "m3", 0)
    assert spent(redis) == 4
    for number in range(10):
        now[0] += VALID_SECONDS + 0.1
        turn(redis, lanes, budgets, f"n{number}", 0)
    assert spent(redis) <= 8
    before = spent(redis)
    turn(redis, lanes, budgets, "last", 0)
    assert spent(redis) == before


def test_what_is_paid_ahead_counts_until_it_can_have_been_made(redis: Redis) -> None:
    """GHL's interval never has more requests than allowed; reservations are made only while half of it is free."""
    keep(redis)
    budgets = Budgets(redis)
    lanes = lanes_with(redis, budgets)
    turn(redis, lanes, budgets, "m1", 3)
    for _ in range(33):
        budgets.acquire(HERE, Need.LOOKUP)
    turn(redis, lanes, budgets, "m2", 1)
    ahead = [member for member, _ in redis.zscan_iter(key("budget", HERE)) if "ahead" in str(member)]
    assert len(ahead) == 1
    pass_time(redis, 10.5)
    for _ in range(99):
        budgets.acquire(HERE, Need.POST)
    with pytest.raises(BudgetExhausted):
        budgets.acquire(HERE, Need.POST)


def test_both_kinds_of_turns_are_expected_apart() -> None:
    """A conversation that was read before needs one look-up less, and the two kinds are estimated separately."""
    ahead = LookupsAhead()
    for backfilled, made in ((False, 2), (True, 1), (False, 2)):
        ahead.note_reserved(HERE, 0, backfilled=backfilled)
        for _ in range(made):
            assert not ahead.use(HERE)
    assert ahead.wanted(HERE) == (2, 1)


def test_a_location_without_a_turn_is_expected_to_do_as_the_others() -> None:
    """Its first message saves the calls too, unless that location's turns make no look-ups."""
    ahead = LookupsAhead()
    ahead.note_reserved(HERE, 0, backfilled=False)
    assert [ahead.use(HERE), ahead.use(HERE)] == [False, False]
    assert ahead.wanted(LocationId("there")) == (2, 0)
    assert not ahead.use(LocationId("there"))


def test_a_turn_that_waits_for_ghl_is_paid_nothing_for(redis: Redis) -> None:
    """While GHL is down it makes no look-ups, and afterwards the limit is for the others."""
    keep(redis)
    budgets = Budgets(redis)
    lanes = lanes_with(redis, budgets)
    turn(redis, lanes, budgets, "m1", 2)
    redis.hset(key("circuit", GHL_READS), mapping={"since": 1, "probe_at": now_ms(redis) + 60_000, "every": 1000})
    before = spent(redis)
    turn(redis, lanes, budgets, "m2", 0)
    assert spent(redis) == before
