"""Lanes: who may work on what, when, and that only the holder of a lease writes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from redis import Redis

from bridge.errors import BudgetExhausted, Fenced, StandingChanged, Unavailable
from bridge.model import (
    Again,
    AppChange,
    Completion,
    ContactId,
    ConversationId,
    Dead,
    Ended,
    Lane,
    LedgerEntry,
    LocationId,
    MessageId,
    OutboundMessage,
    PastMessage,
    Reason,
    SendState,
    Status,
    Turn,
)
from bridge.store.lanes.answers import UnsavedAnswer
from bridge.store.lanes.leases import Lanes
from bridge.store.lanes.messages import decode_answer
from bridge.store.lanes.schedule import MOST_MESSAGES_OF_A_TURN
from bridge.store.lanes.timelines import Timelines
from bridge.store.lanes.transcripts import inbound_entry
from bridge.store.limits.budget import left_of
from bridge.store.locations.installs import Installs
from bridge.store.redis.connection import connect_without_retries, now_ms, rows, text
from bridge.store.redis.partition_calls import lane_of
from bridge.store.redis.partitions import keys, partition_of
from tests.keys import key
from tests.stored import (
    HERE,
    LANE,
    LONG,
    NOTHING_KNOWN,
    RETENTION_MS,
    accept,
    bell,
    check,
    claim,
    due_ms,
    keep,
    lanes_of,
    locations_of,
    message,
    part,
    pass_outage,
    pass_time,
    posted,
    snapshot,
    standings_of,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.lanes.patch import Permit

RECORD = key("lane", str(LANE))
M1, M2 = MessageId("m1"), MessageId("m2")
REPLIED = Ended(status=Status.REPLIED, message_ids=(M1,), reply_message_ids=(MessageId("r1"),))

BILL: Permit = {"nonce": "n", "part": 100, "waits": True, "ago": 0}

UNSAVED = UnsavedAnswer([M1], Completion(text="yes", claimed_message_id="g1"), {"at_ms": 1, "seconds": 0.5, "may_deliver": True})

# Every way in which a holder writes, by name.
WRITES: dict[str, Callable[[Lanes, Turn], object]] = {
    "asking": lambda lanes, turn: lanes.asking(turn, [M1], at_ms=1, may_deliver=True, circuit="c", seconds=1),
    "asking, with what GHL lists": lambda lanes, turn: lanes.asking(
        turn, [M1], at_ms=1, may_deliver=False, circuit="c", seconds=1, listed=[PastMessage("user", "Hello?", MessageId("u1"), 1)]
    ),
    "answered": lambda lanes, turn: lanes.answered(turn, [M1], Completion(text="yes"), at_ms=1, seconds=0.5),
    "sending": lambda lanes, turn: lanes.sending(turn, part("0"), revision=0, at_ms=1, channel="SMS"),
    "sending, paid for": lambda lanes, turn: lanes.sending(turn, part("0"), revision=0, at_ms=1, channel="SMS", permit=BILL),
    "sending, with its answer": lambda lanes, turn: lanes.sending(
        turn, part("0"), revision=0, at_ms=1, channel="SMS", answer=UNSAVED
    ),
    "not_sent": lambda lanes, turn: lanes.not_sent(turn, part("0"), at_ms=1),
    "sent": lambda lanes, turn: lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=1, how="posted")),
    "skip": lambda lanes, turn: lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(M1,), reason=Reason.BLANK)),
    "end": lambda lanes, turn: lanes.end(turn, REPLIED),
    "let_go": lambda lanes, turn: lanes.let_go(turn),
    "again": lambda lanes, turn: lanes.again(turn, [M1], Again(wait=30, why="busy")),
    "bury": lambda lanes, turn: lanes.write_dead_letter(turn, [M1], Dead(error="no"), answer=None, at_ms=1),
}

EXACT_SHARES = pytest.mark.one_server("in a cluster, shares are approximate (tests/store/redis/test_cluster.py)")


@pytest.fixture
def lanes(redis: Redis) -> Lanes:
    keep(redis)
    return lanes_of(redis)


@pytest.fixture
def turn(redis: Redis, lanes: Lanes) -> Turn:
    accept(redis, message("m1"))
    return take(lanes)


def backlog(redis: Redis, location: str, contacts: int, *, age: float = 1.0) -> None:
    """Lanes that have been due for `age` seconds, without messages, which a claim does not read."""
    due = now_ms(redis) - round(age * 1000)
    redis.zadd(key("due", location), {f"contact{number:05}": due for number in range(contacts)})
    redis.zadd(key("due", of=location), {location: due})


def status(redis: Redis, id_: str = "m1") -> str | None:
    found = redis.hget(key("message", HERE, id_), "status")
    return text(found) if found else None


class Stuttering(Redis):
    """A client that sends every script twice, like one that lost the first answer; `differed` has the changes by that."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(connection_pool=redis.connection_pool)
        self.differed: list[tuple[object, object]] = []

    def register_script(self, script: Any) -> Any:
        run = super().register_script(script)

        def twice(keys: list[str], args: list[Any]) -> Any:
            first, before = run(keys=keys, args=args), self._kept()
            second, after = run(keys=keys, args=args), self._kept()
            if (_timeless(first), before) != (_timeless(second), after):
                self.differed.append(((first, before), (second, after)))
            return second

        twice.registered_client = self  # type: ignore[attr-defined] # as a script has it
        return twice

    def _kept(self) -> dict[str, Any]:
        moments = (key("due"), key("due", HERE), key("inflight"), key("inflight", HERE), "lease_until", "not_before")
        return snapshot(self, without=moments)


def _timeless(answer: Any) -> Any:
    """An answer without its times: those at its beginning, the duration of a lease, and its end."""
    if not isinstance(answer, list) or not isinstance(next(iter(answer), None), int):
        return answer
    if len(answer) <= len(("code", "left", "admitted", "situation", "ledger")):
        code, _, admitted, *told = answer
        return [code, admitted, [situation[1:] for situation in told[:1]], told[1:]]
    _, replayed, waiting, record, *rest, situation, words, backfilled, ghl, person, rollback, paid = answer
    record = {name: value for name, value in rows(record).items() if name != "lease_until"}
    return [replayed, waiting, record, *rest, situation[1:], words, backfilled, ghl, person, rollback, paid]


# Claiming


def test_nothing_is_due_before_its_time(redis: Redis, lanes: Lanes) -> None:
    """A lane is claimed when its debounce is over, and the wait until then is known."""
    keep(redis, debounce=20)
    accept(redis, message())
    early = lanes.claim("worker", slots=10, alive_seconds=LONG, most=10)
    assert early.lanes == ()
    assert early.next_due == pytest.approx(20, abs=5)
    pass_time(redis, 20)
    assert claim(lanes) == (LANE,)


def test_without_anything_to_do_there_is_no_next_time(lanes: Lanes) -> None:
    """An empty schedule has no next due time, nor has one without a free slot."""
    assert lanes.claim("worker", slots=10, alive_seconds=LONG, most=10).next_due is None


@pytest.mark.one_server("the end of the rings may come from another node before a ring")
def test_one_dispatcher_leads_and_only_it_is_rung(redis: Redis, lanes: Lanes) -> None:
    """The first to claim leads for as long as it claims; a ring reaches it alone, and all others once it is gone."""
    first, second = (lanes.claim(name, slots=1, alive_seconds=LONG, most=1) for name in ("first", "second"))
    assert (first.leads, second.leads) == (True, False)
    with bell(redis) as all_of_them, bell(redis, "first") as its, bell(redis, "second") as of_another:
        accept(redis, message("m1"))
        assert (its(), of_another(), all_of_them()) == (1, 0, 0)
    assert claim(lanes, worker="first", slots=1) == (LANE,)
    with bell(redis) as all_of_them, bell(redis, "second") as of_another:
        accept(redis, message("m2", "another"))
        assert (all_of_them(), of_another()) == (1, 0)
    its_own = partition_of(HERE)
    assert lanes.claim("second", slots=1, alive_seconds=LONG, most=0).looks[its_own].leads
    assert not lanes.claim("first", slots=1, alive_seconds=LONG, most=0).looks[its_own].leads


def test_a_claim_tells_when_only_a_due_time_or_a_ring_calls_for_the_next(redis: Redis, lanes: Lanes) -> None:
    """It does not while a lane waits for a slot or for its location's share; and it reports wake-ups without a response."""
    empty = lanes.claim("worker", slots=1, alive_seconds=LONG, most=1)
    assert (empty.calm, empty.unheard) == (True, False)
    backlog(redis, HERE, 3)
    assert len(claim(lanes, slots=1)) == 1
    full = lanes.claim("worker", slots=1, alive_seconds=LONG, most=1)
    assert (full.calm, full.unheard) == (False, True)


def test_a_full_house_has_no_next_time(redis: Redis, lanes: Lanes) -> None:
    """While no slot is free the next due time is useless."""
    backlog(redis, HERE, 3)
    assert len(claim(lanes, slots=2)) == 2
    later = lanes.claim("worker", slots=2, alive_seconds=LONG, most=10)
    assert (later.lanes, later.next_due) == ((), None)


def test_a_claimed_lane_is_due_again_after_the_lease(redis: Redis, lanes: Lanes) -> None:
    """If a claim's wake-up was lost, the lane is claimed again after the lease, and not before."""
    accept(redis, message())
    assert claim(lanes) == (LANE,)
    assert claim(lanes) == ()
    pass_time(redis, LONG - 10)
    assert claim(lanes) == ()
    pass_time(redis, 10)
    assert claim(lanes) == (LANE,)


def test_claims_never_exceed_the_free_slots_of_live_workers(redis: Redis, lanes: Lanes) -> None:
    """The slots of all live workers count together, minus those in use."""
    backlog(redis, HERE, 100)
    lanes.claim("gone", slots=50, alive_seconds=20, most=0)
    pass_time(redis, 20)
    lanes.claim("first", slots=3, alive_seconds=LONG, most=0)
    assert len(claim(lanes, worker="second", slots=4)) == 7
    assert claim(lanes, worker="first", slots=3) == ()
    assert len(claim(lanes, worker="third", slots=2)) == 2


def test_a_slot_is_free_again_when_its_turn_ends(redis: Redis, lanes: Lanes) -> None:
    """The end of a turn, and of a lease, frees a slot; a lease uses one."""
    accept(redis, message("m1"), message("m2", "other"), message("m3", "third"))
    first, second = claim(lanes, slots=2)
    turn = lanes.lease(first)
    assert turn
    assert claim(lanes, slots=2) == ()
    lanes.end(turn, replace(REPLIED, message_ids=(turn.messages[0].id,)))
    (third,) = claim(lanes, slots=2)
    assert len({first, second, third}) == 3
    pass_time(redis, LONG + 1)
    assert set(claim(lanes, slots=2)) == {second, third}


def test_a_claim_takes_no_more_than_asked(redis: Redis, lanes: Lanes) -> None:
    """`most` bounds a claim, and the remaining lanes are due at once."""
    backlog(redis, HERE, 10)
    first = lanes.claim("worker", slots=100, alive_seconds=LONG, most=4)
    assert (len(first.lanes), first.next_due) == (4, 0)
    assert len(claim(lanes)) == 6


def test_the_oldest_lane_of_a_location_comes_first(redis: Redis, lanes: Lanes) -> None:
    """Within a location lanes are claimed in the order in which they became due."""
    contacts = ["c", "a", "b"]
    for contact in contacts:
        accept(redis, message(f"m-{contact}", contact))
        pass_time(redis, 1)
    assert [claim(lanes, most=1)[0].contact_id for _ in contacts] == contacts


def test_a_backlog_does_not_starve_another_location(redis: Redis, lanes: Lanes) -> None:
    """With 50,000 overdue lanes in one location, the single lane of another one is in the next claim."""
    backlog(redis, "crowd", 50_000, age=7200)
    assert len(claim(lanes, slots=10, most=10)) == 10
    accept(redis, message())
    assert LANE in claim(lanes, slots=11, most=10)


@EXACT_SHARES
def test_locations_are_served_in_turn(redis: Redis, lanes: Lanes) -> None:
    """With 300 backlogs and 7 slots that become free one by one, every location is served once before any is served twice."""
    for number in range(300):
        backlog(redis, f"location{number:03}", 5, age=1 + number % 50)
    served: list[LocationId] = []
    while len(served) < 600:
        granted = claim(lanes, slots=7)
        served += [lane.location_id for lane in granted]
        # What was claimed is over, and its slot is free.
        for lane in granted:
            redis.zrem(key("inflight", of=lane.location_id), str(lane))
            redis.zrem(key("inflight", lane.location_id), str(lane))
            redis.zrem(key("due", lane.location_id), lane.contact_id)
    assert len(set(served[:300])) == 300
    assert len(set(served[300:600])) >= 290


def test_joining_messages_do_not_jump_the_queue(redis: Redis, lanes: Lanes) -> None:
    """A location that was just served can't get ahead because a message joins one of its old lanes."""
    for contact in range(5):
        accept(redis, message(f"m{contact}", f"contact{contact}"))
    pass_time(redis, 7200)
    keep(redis, "there")
    accept(redis, message("single", location="there"))
    pass_time(redis, 1)
    served: list[Lane] = []
    for number in range(2):
        served += claim(lanes, slots=100, most=1)
        accept(redis, message(f"joining{number}", f"contact{number + 3}"))
    assert Lane(LocationId("there"), ContactId("contact")) in served


def test_rest_of_a_lane_does_not_jump_the_queue(redis: Redis, lanes: Lanes) -> None:
    """A released lane with old waiting messages goes behind locations that have waited."""
    accept(redis, message("m1"), message("m2"))
    pass_time(redis, 7200)
    keep(redis, "there")
    accept(redis, message("single", location="there"))
    pass_time(redis, 1)
    (first,) = claim(lanes, most=1)
    turn = lanes.lease(first)
    assert first == LANE
    assert turn
    lanes.end(turn, REPLIED)
    assert claim(lanes, most=1) == (Lane(LocationId("there"), ContactId("contact")),)


@EXACT_SHARES
def test_slots_that_one_location_leaves_go_to_the_next(redis: Redis, lanes: Lanes) -> None:
    """A small location doesn't leave slots unused that a large one behind it could use."""
    backlog(redis, "small", 1, age=9)
    backlog(redis, "large", 100, age=5)
    assert len(claim(lanes, slots=20)) == 20


# Shares


def held(redis: Redis, location: str) -> int:
    return int(redis.zcard(key("inflight", location)))


@pytest.mark.parametrize("slots", [1, 2, 3, 9, 10, 20, 200])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_location_alone_gets_every_slot_but_the_reserve(redis: Redis, lanes: Lanes, slots: int, workers: int) -> None:
    """It gets as many as the workers have; an additional ninth, at least one, is reserved for others."""
    backlog(redis, "crowd", 1000)
    for number in range(workers):
        lanes.claim(f"w{number}", slots=slots, alive_seconds=LONG, most=0)
    assert len(claim(lanes, worker="w0", slots=slots)) == slots * workers
    full = lanes.claim("w0", slots=slots, alive_seconds=LONG, most=1000)
    assert (full.lanes, full.next_due, full.calm) == ((), None, False)
    backlog(redis, HERE, 1)
    assert [lane.location_id for lane in claim(lanes, worker="w0", slots=slots)] == [HERE]


@EXACT_SHARES
def test_one_location_after_the_other_finds_free_slots(redis: Redis, lanes: Lanes) -> None:
    """However many hang, each takes a part of what is left, so the next one gets some."""
    shares = []
    for number in range(6):
        backlog(redis, f"hanging{number}", 1000)
        claim(lanes, slots=200)
        shares.append(held(redis, f"hanging{number}"))
    assert shares == [200, 20, 2, 1, 0, 0]
    assert sum(shares) == sum(redis.zcard(name) for name in keys("inflight")) == 223


def test_who_holds_more_than_its_share_gives_way(redis: Redis, lanes: Lanes) -> None:
    """Slots that become free go to the other location until both have the same number; then they are shared."""
    backlog(redis, "crowd", 1000)
    claim(lanes, slots=20)
    backlog(redis, HERE, 1000)
    for _ in range(60):
        over = text(redis.zrange(key("inflight", "crowd"), 0, 0)[0])
        redis.zrem(key("inflight", of="crowd"), over)
        redis.zrem(key("inflight", "crowd"), over)
        claim(lanes, slots=20)
    assert held(redis, "crowd") == pytest.approx(held(redis, HERE), abs=2)
    assert held(redis, "crowd") + held(redis, HERE) >= 20


def test_a_share_is_free_again_when_turns_end_or_leases_do(redis: Redis, lanes: Lanes) -> None:
    """The slots of a location are counted by the same rules as all slots."""
    accept(redis, *(message(f"m{number}", f"c{number}") for number in range(4)))
    first, second, third, fourth = claim(lanes, slots=4)
    for lane in (first, second):
        assert lanes.lease(lane)
    lanes.unclaim([third], pause=5)
    assert held(redis, HERE) == redis.zcard(key("inflight")) == 3
    turn = lanes.lease(fourth)
    assert turn
    lanes.end(turn, replace(REPLIED, message_ids=(turn.messages[0].id,)))
    assert held(redis, HERE) == redis.zcard(key("inflight")) == 2
    pass_time(redis, LONG + 1)
    claim(lanes, slots=4)
    assert held(redis, HERE) == redis.zcard(key("inflight")) == 3
    pass_time(redis, LONG + 1)
    redis.decrby(key("claimed"), 1000)
    assert claim(lanes, slots=0) == ()
    assert held(redis, HERE) == redis.zcard(key("inflight")) == 0


@EXACT_SHARES
def test_locations_that_may_have_nothing_hide_nobody(redis: Redis, lanes: Lanes) -> None:
    """Ninety of them are before the one that may have the last slot; it is served at once, without a busy loop."""
    for number in range(90):
        backlog(redis, f"full{number:02}", 50, age=100)
    while claim(lanes, slots=99, most=20):
        pass
    assert sum(redis.zcard(name) for name in keys("inflight")) == 109
    full = lanes.claim("worker", slots=99, alive_seconds=LONG, most=100)
    assert (full.lanes, full.next_due, full.calm) == ((), None, False)
    backlog(redis, HERE, 1, age=0)
    assert claim(lanes, slots=99) == (Lane(HERE, ContactId("contact00000")),)


# Leasing


def test_only_a_claimed_lane_is_leased(redis: Redis, lanes: Lanes) -> None:
    """A wake-up without a claim finds nothing to do."""
    accept(redis, message())
    assert lanes.lease(LANE) is None
    assert lanes.lease(Lane(HERE, ContactId("stranger"))) is None


def test_a_lane_has_one_holder(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A second wake-up for a leased lane has no effect, until the lease has expired and the lane is claimed again."""
    assert lanes.lease(LANE) is None
    pass_time(redis, LONG + 1)
    second = take(lanes)
    assert second.token != turn.token
    assert lanes.lease(LANE) is None


def test_a_wake_up_that_comes_late_finds_nothing(lanes: Lanes, turn: Turn) -> None:
    """After the turn ended, its second wake-up does nothing."""
    lanes.end(turn, REPLIED)
    assert lanes.lease(LANE) is None


def test_a_turn_carries_what_waits_in_order_of_arrival(redis: Redis, lanes: Lanes) -> None:
    """A turn has all waiting messages up to its limit; the rest is the next turn."""
    count = MOST_MESSAGES_OF_A_TURN + 5
    accept(redis, *(message(f"m{number}") for number in range(count)))
    turn = take(lanes)
    assert [one.id for one in turn.messages] == [f"m{number}" for number in range(MOST_MESSAGES_OF_A_TURN)]
    lanes.end(turn, replace(REPLIED, message_ids=tuple(one.id for one in turn.messages)))
    assert [one.id for one in take(lanes).messages] == [f"m{number}" for number in range(MOST_MESSAGES_OF_A_TURN, count)]


def test_a_new_turn_starts_from_nothing(turn: Turn) -> None:
    """A new turn has no attempts, looks, answer or ledger."""
    assert (turn.attempts, turn.unfinished, turn.looks, turn.answer, turn.answered, dict(turn.ledger)) == (0, 1, 0, None, (), {})


def test_a_turn_goes_on_where_its_worker_died(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """The next holder has the same turn, the saved answer, the ledger and the joined messages, and knows of the crash."""
    lanes.asking(turn, [M1], at_ms=11, may_deliver=True, circuit="c", seconds=1)
    lanes.answered(turn, [M1], Completion(text="yes", trace_id="t"), at_ms=12, seconds=0.5)
    lanes.sending(turn, part("0"), revision=0, at_ms=13, channel="SMS")
    accept(redis, message("m2"))
    pass_time(redis, LONG + 1)
    second = take(lanes)
    assert (second.id, second.unfinished, second.attempts) == (turn.id, 2, 0)
    assert (second.answer, second.answered, second.answered_at_ms) == (Completion(text="yes", trace_id="t"), (M1,), 12)
    assert dict(second.ledger) == {
        "ask": LedgerEntry(state=SendState.ASKING, at_ms=11),
        "0": LedgerEntry(state=SendState.SENDING, at_ms=13, last=True),
    }
    assert [one.id for one in second.messages] == [M1, M2]


def test_a_takeover_from_a_dead_worker_is_told(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """The timeline says that a worker crashed, and how long its lease was."""
    del turn
    pass_time(redis, LONG + 1)
    take(lanes)
    timeline = Timelines(redis).find(LANE.contact_id)
    assert timeline
    [event] = [one for one in timeline.events if one.step == "recovered"]
    assert event.details["ran_seconds"] == pytest.approx(LONG, abs=5)


def test_unfinished_leases_are_counted_until_one_ends(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """Each lease without a result counts; a release resets the count."""
    for expected in range(2, 12):
        pass_time(redis, LONG + 1)
        turn = take(lanes)
        assert turn.unfinished == expected
    lanes.again(turn, [M1], Again(wait=0, why="busy"))
    assert take(lanes).unfinished == 1


def test_a_turn_that_died_with_nothing_left_leaves_nothing(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A worker that ended every message and died before the release leaves no state to the lane's next turn."""
    lanes.again(turn, [M1], Again(wait=0, why="busy"))
    turn = take(lanes)
    lanes.answered(turn, [M1], Completion(text="yes"), at_ms=1, seconds=0.5)
    lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(M1,), reason=Reason.TOO_OLD))
    pass_time(redis, LONG + 1)
    assert claim(lanes) == (LANE,)
    assert lanes.lease(LANE) is None
    assert due_ms(redis) is None
    ends = {"ended", "ended:skipped", "ended:skipped|too_old"}
    assert (set(map(str, redis.hkeys(RECORD))), redis.pttl(RECORD) > 0) == ({"released", *ends}, True)
    assert lanes.renew([turn]) == (LANE,)
    accept(redis, message("m2"))
    fresh = take(lanes)
    assert (fresh.attempts, fresh.answer, fresh.unfinished) == (0, None, 1)
    assert fresh.id != turn.id


def test_a_turn_knows_redis_clock(redis: Redis, turn: Turn) -> None:
    """A turn converts this process' clock into Redis' clock."""
    assert turn.leased_at_ms == pytest.approx(now_ms(redis), abs=5000)
    assert turn.now_ms(turn.leased_at) == turn.leased_at_ms
    assert turn.now_ms(turn.leased_at + 1.234) == turn.leased_at_ms + 1234


# Fencing


@pytest.mark.parametrize("write", WRITES)
def test_a_stale_token_writes_nothing(redis: Redis, lanes: Lanes, turn: Turn, write: str) -> None:
    """Once another worker holds the lane, every write of the earlier holder is refused and changes nothing."""
    pass_time(redis, LONG + 1)
    take(lanes)
    before = snapshot(redis)
    with pytest.raises(Fenced, match=str(LANE)):
        WRITES[write](lanes, turn)
    assert snapshot(redis) == before


@pytest.mark.parametrize("write", WRITES)
def test_a_token_of_an_ended_turn_writes_nothing(redis: Redis, lanes: Lanes, turn: Turn, write: str) -> None:
    """After the release the token is invalid, though a repeated release gets the first result."""
    lanes.end(turn, REPLIED)
    accept(redis, message("m2"))
    before = snapshot(redis)
    if write in {"end", "let_go", "again", "bury"}:
        WRITES[write](lanes, turn)
    else:
        with pytest.raises(Fenced):
            WRITES[write](lanes, turn)
    assert snapshot(redis) == before


@pytest.mark.parametrize("write", sorted(WRITES.keys() - {"sending", "sending, paid for", "sending, with its answer"}))
def test_a_lapsed_untaken_lease_still_writes(redis: Redis, lanes: Lanes, turn: Turn, write: str) -> None:
    """A slow worker that was not replaced may finish its work."""
    pass_time(redis, LONG + 1)
    WRITES[write](lanes, turn)


def test_a_short_lease_is_no_licence_to_post(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A post may begin only while the lease lasts longer than the post may."""
    check(lanes, turn, revision=0, seconds=LONG - 60)
    with pytest.raises(Fenced, match="too short"):
        check(lanes, turn, revision=0, seconds=LONG + 1)
    pass_time(redis, LONG + 1)
    with pytest.raises(Fenced):
        check(lanes, turn, revision=0, seconds=0)


def test_a_slow_check_counts_against_the_lease(redis: Redis, turn: Turn) -> None:
    """The time of the check's answer is not counted as left of the lease."""
    clock = itertools.count(step=600)
    slow = Lanes(redis, lease_seconds=LONG, retention_ms=RETENTION_MS, clock=lambda: next(clock))
    check(slow, turn, revision=0, seconds=300)
    with pytest.raises(Fenced, match="too short"):
        check(slow, turn, revision=0, seconds=500)


def test_renewing_keeps_a_lease(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A renewed lease lasts for a whole lease again, for the holder, the schedule and the slots."""
    for _ in range(3):
        pass_time(redis, LONG - 50)
        assert lanes.renew([turn]) == ()
        assert claim(lanes) == ()
    check(lanes, turn, revision=0, seconds=LONG - 60)
    assert claim(lanes, slots=1) == ()


def test_a_lapsed_untaken_lease_is_taken_back(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """After an outage the holder keeps the lane if it is first, although the lane could be claimed meanwhile."""
    pass_time(redis, LONG * 3)
    assert lanes.renew([turn]) == ()
    assert claim(lanes) == ()
    check(lanes, turn, revision=0, seconds=LONG / 2)


def test_a_lease_taken_back_turns_a_late_wake_up_away(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A lane that was claimed again, but renewed by its holder before the wake-up came, is not leased twice."""
    pass_time(redis, LONG + 1)
    assert claim(lanes) == (LANE,)
    assert lanes.renew([turn]) == ()
    assert lanes.lease(LANE) is None


def test_lost_leases_are_named(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A renewal of many names the lost ones, keeps the others, and gives nothing to a stranger."""
    accept(redis, message("m2", "other"))
    other = take(lanes, Lane(HERE, ContactId("other")))
    lanes.end(turn, REPLIED)
    before = due_ms(redis)
    assert lanes.renew([other, turn]) == (LANE,)
    assert due_ms(redis) == before
    assert lanes.renew([]) == ()


# Writing


@pytest.mark.one_server("its client sends all calls to one server")
def test_every_write_sent_twice_is_one(redis: Redis) -> None:
    """Each script has the same effect when a client sends it twice; only claiming doesn't.

    What a claim's lost answer took is due again after a lease, so that a repeated claim costs time, never a message.
    """
    stuttering = Stuttering(redis)
    doubled = lanes_of(stuttering)
    for write in WRITES.values():
        redis.flushall()
        keep(redis)
        accept(redis, message("m1"), message("m2"))
        assert LANE in claim(lanes_of(redis))
        turn = doubled.lease(LANE)
        assert turn
        assert turn.unfinished == 1
        assert doubled.renew([turn]) == ()
        write(doubled, turn)
    assert stuttering.differed == []


def test_a_repeated_claim_costs_a_lease_and_no_message(redis: Redis, lanes: Lanes) -> None:
    """Lanes of a claim whose answer was lost become due again."""
    backlog(redis, HERE, 6)
    lost = claim(lanes, slots=3)
    assert claim(lanes, slots=3) == ()
    pass_time(redis, LONG + 1)
    assert set(lost) <= {*claim(lanes, slots=6)}


@pytest.mark.one_server("each partition of a cluster has a list of workers")
def test_the_end_of_a_turn_is_kept_for_its_time(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """An ended turn has its outcome, is not scheduled, and all of it expires."""
    lanes.asking(turn, [M1], at_ms=1, may_deliver=True, circuit="c", seconds=1)
    assert status(redis) == "answering"
    lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=1, how="posted"))
    lanes.end(turn, REPLIED)
    kept = redis.hgetall(key("message", HERE, "m1"))
    assert (kept["status"], kept["replies"]) == ("replied", '["r1"]')
    assert due_ms(redis) is None
    assert not redis.exists(key("due"), key("inflight"), key("waiting", str(LANE)))
    lasting = {name for name in redis.scan_iter("*") if redis.pttl(name) == -1}
    of_the_location = {key("locations"), key("location", HERE), key("stopping", HERE), key("sweeps"), *keys("owned")}
    assert lasting == of_the_location | {key("workers"), *keys("claimed"), *keys("server")}
    assert lane_of(redis, "r1") == str(LANE)


def test_what_was_answered_keeps_its_outcome_and_not_its_text(redis: Redis, lanes: Lanes) -> None:
    """Ended records are small, because the text is deleted. A dead letter's text stays."""
    lanes_of_one = [message("m1", text="x" * 1000), message("m2", text="y" * 1000)]
    accept(redis, lanes_of_one[0])
    first = take(lanes)
    lanes.answered(first, [M1], Completion(text="z" * 1000), at_ms=1, seconds=1)
    lanes.end(first, REPLIED)
    accept(redis, lanes_of_one[1])
    lanes.write_dead_letter(take(lanes), [M2], Dead(error="no"), answer=None, at_ms=1)
    assert [redis.hexists(key("message", HERE, one), "body") for one in ("m1", "m2")] == [False, True]
    assert [redis.object("encoding", name) != "hashtable" for name in (key("message", HERE, "m1"), RECORD)] == [True, True]


def test_a_new_message_keeps_the_lane_from_expiring(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A lane that was done and has a waiting message again has no expiry."""
    lanes.end(turn, REPLIED)
    assert redis.pttl(RECORD) > 0
    accept(redis, message("m2"))
    assert redis.pttl(RECORD) == -1


def test_ended_messages_leave_and_others_stay(redis: Redis, lanes: Lanes) -> None:
    """Messages that a turn didn't answer are due as soon as it is over, in their own turn."""
    accept(redis, message("m1"), message("m2"))
    turn = take(lanes)
    lanes.again(turn, [M1, M2], Again(wait=0, why="busy"))
    turn = take(lanes)
    lanes.end(turn, REPLIED)
    following = take(lanes)
    assert ([one.id for one in following.messages], following.attempts) == ([M2], 0)
    assert following.id != turn.id


def test_skipping_keeps_the_lease(redis: Redis, lanes: Lanes) -> None:
    """A skipped message ends with its reason; the lane stays held for the others, and the release ends it."""
    accept(redis, message("m1"), message("m2"))
    turn = take(lanes)
    lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(M1,), reason=Reason.BLANK, facts="no text"))
    kept = redis.hgetall(key("message", HERE, "m1"))
    assert (kept["status"], kept["reason"], kept["facts"]) == ("skipped", "blank", "no text")
    check(lanes, turn, revision=0, seconds=1)
    lanes.let_go(turn)
    assert [one.id for one in take(lanes).messages] == [M2]


def test_a_retry_waits_its_time(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A turn that is retried is due after its wait, keeps its id and answer, and counts the attempt."""
    lanes.answered(turn, [M1], Completion(text="yes"), at_ms=1, seconds=0.1)
    lanes.again(turn, [M1], Again(wait=30, why="busy"))
    assert status(redis) == "retrying"
    assert due_ms(redis) == pytest.approx(now_ms(redis) + 30_000, abs=5000)
    pass_time(redis, 31)
    second = take(lanes)
    assert (second.id, second.attempts, second.answer) == (turn.id, 1, Completion(text="yes"))


def test_what_waits_never_forgets_what_it_sent(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """This holds for a wait of any length; after its end the ledger is stored for the retention time."""
    ledger = key("ledger", turn.id)
    assert lanes.sending(turn, part(), at_ms=1, channel="SMS", revision=0)
    lanes.again(turn, [M1], Again(wait=0, why="busy"))
    assert redis.pttl(ledger) == -1
    lanes.end(take(lanes), Ended(status=Status.REPLIED, message_ids=(M1,)))
    assert redis.pttl(ledger) > 0


@pytest.mark.one_server("the end of the rings may come from another node before a ring")
def test_a_slot_that_is_given_back_unused_is_told_of(redis: Redis, lanes: Lanes) -> None:
    """A lane that waits for a slot does not have to wait for the next claim by time."""
    keep(redis, HERE, "there")
    accept(redis, message("m1"))
    assert claim(lanes, slots=1, most=1) == (LANE,)
    accept(redis, message("m2", contact="c2", location="there"), message("m3", contact="c3", location="there"))
    while claim(lanes, slots=1):
        pass
    with bell(redis) as rung:
        lanes.unclaim([LANE], pause=0)
        assert rung()


def test_a_post_is_paid_for_as_it_is_noted(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """One record is one request; GHL's last limits are stored with it."""
    permit: Permit = {**BILL, "most": 100, "left": 95, "interval_ms": 10_000}
    lanes.sending(turn, part("0"), revision=0, at_ms=1, channel="SMS", permit=permit)
    left = left_of(redis, [HERE])[HERE]
    assert (left.left, left.left_today) == (94, 199_999)


def test_what_can_not_be_paid_for_is_not_noted(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """If the rate limit does not allow the request, nothing is in the ledger, and the location waits."""
    redis.zadd(key("budget", HERE), {f"request-{number}": now_ms(redis) - 4000 for number in range(100)})
    with pytest.raises(BudgetExhausted, match=HERE) as caught:
        lanes.sending(turn, part("0"), revision=0, at_ms=1, channel="SMS", permit=BILL)
    assert caught.value.retry_after == pytest.approx(6, abs=1)
    assert not redis.exists(key("ledger", turn.id))
    assert redis.pttl(key("busy", HERE)) == pytest.approx(6000, abs=1000)


def test_what_ghl_told_of_the_budget_counts_though_nothing_is_noted(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A refused step has stored them, because no later request will."""
    with pytest.raises(StandingChanged):
        lanes.sending(turn, part("0"), revision=5, at_ms=1, channel="SMS", permit={**BILL, "most": 100, "left": 7})
    assert left_of(redis, [HERE])[HERE].left == 7


@pytest.mark.parametrize("listed", [[PastMessage("user", "Hello?", MessageId("u1"), 1)], []])
def test_what_ghl_lists_is_on_record_once(redis: Redis, lanes: Lanes, turn: Turn, listed: list[PastMessage]) -> None:
    """The next turn knows that it was read, even if GHL lists nothing or the provider is down."""
    assert not turn.backfilled
    redis.hset(key("circuit", "c"), mapping={"since": 1, "probe_at": now_ms(redis) + 60_000, "prober": "another"})
    admitted = lanes.asking(turn, [M1], at_ms=1, may_deliver=False, circuit="c", seconds=1, listed=listed).circuit
    lanes.again(turn, [M1], Again(wait=0, why="down"))
    later = take(lanes)
    assert (admitted, later.backfilled, list(later.said)) == ("open", True, listed)


def test_a_look_is_not_a_try(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A wait for a read-back counts read-backs, not attempts; a new call or post resets their count."""
    lanes.again(turn, [M1], Again(wait=1, why="too early", counts=False, looks=1))
    pass_time(redis, 1)
    second = take(lanes)
    assert (second.attempts, second.looks) == (0, 1)
    lanes.sending(second, part("0"), revision=0, at_ms=1, channel="SMS")
    lanes.again(second, [M1], Again(wait=0, why="busy"))
    assert take(lanes).looks == 0


def test_joining_messages_do_not_move_a_retry(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A message that joins never makes a retry earlier, before or after its debounce."""
    lanes.again(turn, [M1], Again(wait=300, why="asked to wait"))
    planned = due_ms(redis)
    accept(redis, message("m2"))
    assert due_ms(redis) == planned
    pass_time(redis, 200)
    accept(redis, message("m3"))
    assert due_ms(redis) == (planned or 0) - 200_000
    assert claim(lanes) == ()
    pass_time(redis, 101)
    assert [one.id for one in take(lanes).messages] == ["m1", "m2", "m3"]


def test_a_retry_that_came_leaves_no_wait_behind(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """After the turn's end the next message does not wait for an old retry."""
    lanes.again(turn, [M1], Again(wait=300, why="asked to wait"))
    pass_time(redis, 301)
    lanes.end(take(lanes), REPLIED)
    accept(redis, message("m2"))
    assert claim(lanes) == (LANE,)


def test_a_message_that_joined_a_held_lane_has_its_own_debounce(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A message during a turn is due its own debounce after its arrival, not after the turn."""
    keep(redis, debounce=50)
    accept(redis, message("m2"))
    joined = int(redis.hget(key("message", HERE, "m2"), "at") or 0)
    pass_time(redis, 20)
    lanes.end(turn, REPLIED)
    assert due_ms(redis) == joined - 20_000 + 50_000


def test_the_release_of_something_due_rings(redis: Redis, lanes: Lanes) -> None:
    """A slot that becomes free while lanes are due rings."""
    accept(redis, message("m1"), message("m2", "other"))
    turn = lanes.lease(claim(lanes, slots=1)[0])
    assert turn
    with bell(redis) as rung:
        lanes.end(turn, replace(REPLIED, message_ids=(turn.messages[0].id,)))
        assert rung() > 0


def test_a_dead_letter_says_what_died_and_why(redis: Redis, lanes: Lanes) -> None:
    """A dead letter has the contract's fields, and the lane is free."""
    accept(redis, message("m1"), message("m2"))
    turn = take(lanes)
    lanes.again(turn, [M1, M2], Again(wait=0, why="busy"))
    turn = take(lanes)
    lanes.write_dead_letter(turn, [M1, M2], Dead(error="GHL refused it"), answer=None, at_ms=1_700_000_000_123)
    kept = redis.get(key("dead", turn.id))
    assert kept
    assert orjson.loads(kept) == {
        "id": turn.id,
        "location_id": HERE,
        "contact_id": "contact",
        "conversation_id": "conversation-contact",
        "message_ids": ["m1", "m2"],
        "channel": "SMS",
        "error": "GHL refused it",
        "attempts": 2,
        "failed_at": 1_700_000_000_123,
        "answer": "",
        "answered": '["m1","m2"]',
        "answered_at": 1_700_000_000_123,
        "asks": 0,
        "parts": "[]",
        "said": [[1_700_000_000_000, inbound_entry(message(id_))] for id_ in ("m1", "m2")],
        "carried": [],
        "excerpt_id": "",
    }
    assert redis.zrange(key("dead"), 0, -1) == [turn.id]
    assert 0 < redis.pttl(key("dead", turn.id)) <= RETENTION_MS
    assert (status(redis, "m1"), status(redis, "m2")) == ("dead", "dead")
    assert redis.hget(key("message", HERE, "m1"), "error") == "GHL refused it"
    assert due_ms(redis) is None


def test_old_dead_letters_leave_the_list(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """The list of dead letters has none whose record has expired."""
    lanes.write_dead_letter(turn, [M1], Dead(error="first"), answer=None, at_ms=1)
    pass_time(redis, RETENTION_MS / 1000 + 1)
    accept(redis, message("m2"))
    second = take(lanes)
    lanes.write_dead_letter(second, [M2], Dead(error="second"), answer=None, at_ms=2)
    assert redis.zrange(key("dead"), 0, -1) == [second.id]


def test_claims_of_delivery_are_counted(redis: Redis, lanes: Lanes) -> None:
    """Answers in a row without a claim of delivery are counted for the location, and a claim resets the count."""
    locations = locations_of(redis)

    def answer(number: int, claimed: str) -> int:
        accept(redis, message(f"m{number}"))
        turn = take(lanes)
        ids = [one.id for one in turn.messages]
        lanes.answered(turn, ids, Completion(text="yes", claimed_message_id=claimed), at_ms=1, seconds=0.1)
        lanes.end(turn, Ended(status=Status.REPLIED, message_ids=tuple(ids)))
        kept = locations.get(HERE)
        assert kept
        return kept.unclaimed

    assert [answer(number, claimed) for number, claimed in enumerate(["", "", "g1", ""])] == [1, 2, 0, 1]


@pytest.mark.parametrize("words", ["", 'a\x00"b"\\', "🙂" * 5000, "\u2028\u2029 é ñ"])
def test_an_answer_is_saved_as_it_was(lanes: Lanes, turn: Turn, words: str) -> None:
    """A saved answer is returned character by character."""
    why = None if words else Reason.FILTERED
    notes = ("removed: thoughts",)
    saved = Completion(text=words, why_silent=why, claimed_message_id="c", trace_id="t", session_id="s", notes=notes)
    lanes.answered(turn, [M1], saved, at_ms=1, seconds=0.1)
    lanes.again(turn, [M1], Again(wait=0, why="busy"))
    assert take(lanes).answer == saved


@pytest.mark.parametrize(("told", "why"), [('""', Reason.EMPTY), ('"empty answer"', Reason.EMPTY), ('"refusal"', Reason.REFUSAL)])
def test_an_answer_that_an_older_version_saved_is_read(told: str, why: Reason | None) -> None:
    """A sentence in place of a reason still means no reply."""
    saved = decode_answer('{"text":"","why_silent":' + told + ',"waited_out":["w"]}')
    assert saved == Completion(text="", why_silent=why, waited_out=("w",))


def test_without_redis_nothing_pretends_to_work() -> None:
    """Every method reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        lanes = lanes_of(nowhere)
        turn = Turn(lane=LANE, id="t", token="t", leased_at_ms=0, leased_at=0, situation=NOTHING_KNOWN, messages=(message(),))
        calls: list[Callable[[], object]] = [lambda: claim(lanes), lambda: lanes.lease(LANE), lambda: lanes.renew([turn])]
        calls += [partial(write, lanes, turn) for write in WRITES.values()]
        for call in calls:
            with pytest.raises(Unavailable, match="ConnectionError"):
                call()


# Giving back, and outages


@pytest.mark.one_server("the end of the rings may come from another node before a ring")
def test_a_lane_given_back_is_due_at_once(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """It counts neither as an attempt nor as an unfinished lease; all data of the turn stays."""
    lanes.answered(turn, [M1], Completion(text="yes"), at_ms=1, seconds=0.1)
    with bell(redis) as rung:
        assert lanes.give_back(turn)
        assert rung() > 0
    second = take(lanes)
    assert (second.id, second.unfinished, second.attempts, second.answer) == (turn.id, 1, 0, Completion(text="yes"))
    assert not lanes.give_back(turn)
    check(lanes, second, revision=0, seconds=1)


def test_a_lost_lease_is_not_given_back(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """The current holder of the lane keeps it."""
    pass_time(redis, LONG + 1)
    take(lanes)
    before = snapshot(redis)
    assert not lanes.give_back(turn)
    assert snapshot(redis) == before


def test_a_finished_turn_that_is_given_back_leaves_nothing(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A turn whose messages had all ended doesn't leave its id and attempts to the lane's next one."""
    lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(M1,), reason=Reason.BLANK))
    assert lanes.give_back(turn)
    ends = {"ended", "ended:skipped", "ended:skipped|blank"}
    assert (due_ms(redis), set(map(str, redis.hkeys(RECORD))), redis.pttl(RECORD) > 0) == (None, ends, True)


def test_what_could_not_be_published_is_put_back(redis: Redis, lanes: Lanes) -> None:
    """It is due after a pause and frees its slot; a lane that was leased anyway is unchanged."""
    accept(redis, message("m1"), message("m2", "other"))
    granted = claim(lanes, slots=2)
    turn = lanes.lease(LANE)
    assert turn
    lanes.unclaim(granted, pause=20)
    assert claim(lanes, slots=2) == ()
    check(lanes, turn, revision=0, seconds=1)
    pass_time(redis, 21)
    assert claim(lanes, slots=2) == (Lane(HERE, ContactId("other")),)


def test_after_an_outage_running_work_takes_its_own_back(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """If nothing was claimed for longer than a lease, expired lanes wait one more lease before another worker may have them."""
    accept(redis, message("m2", "other"))
    claim(lanes, slots=1)
    pass_outage(redis, LONG + 50)
    waiting = lanes.claim("worker", slots=9, alive_seconds=LONG, most=9)
    assert waiting.lanes == ()
    assert waiting.next_due == pytest.approx(LONG, abs=5)
    pass_time(redis, LONG - 100)
    assert claim(lanes) == ()
    assert lanes.renew([turn]) == ()
    pass_time(redis, 101)
    assert claim(lanes) == (Lane(HERE, ContactId("other")),)
    check(lanes, turn, revision=0, seconds=1)


def test_after_an_outage_the_dead_are_replaced_in_the_end(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """A lease that is not renewed within the grace time is lost."""
    claim(lanes)
    pass_outage(redis, LONG + 50)
    assert claim(lanes) == ()
    pass_time(redis, LONG + 1)
    assert take(lanes).id == turn.id


@pytest.mark.parametrize("seconds", [LONG - 50, LONG + 50])
def test_without_leases_in_flight_no_outage_makes_anybody_wait(redis: Redis, lanes: Lanes, seconds: float) -> None:
    """Without leases there is nothing to wait for."""
    claim(lanes)
    pass_outage(redis, seconds)
    accept(redis, message())
    assert claim(lanes) == (LANE,)


def test_a_short_outage_makes_nobody_wait(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """Leases that can't have expired meanwhile cause no grace time."""
    del turn
    claim(lanes)
    pass_outage(redis, LONG - 50)
    accept(redis, message("m2", "other"))
    assert claim(lanes) == (Lane(HERE, ContactId("other")),)


def test_a_part_whose_echo_came_first_is_told_as_sent_once(redis: Redis, lanes: Lanes) -> None:
    """If GHL's event comes before its answer, the timeline has one sending and one arrival."""
    accept(redis, message())
    turn = take(lanes)
    lanes.sending(turn, part("0"), revision=0, at_ms=13, channel="SMS")
    echo = OutboundMessage(
        id=MessageId("r1"),
        location_id=HERE,
        contact_id=LANE.contact_id,
        conversation_id=ConversationId("conversation-contact"),
        type="TYPE_SMS",
        text=part("0").text,
        date_added_ms=0,
    )
    assert standings_of(redis).observe(LANE, [echo]) == 0
    lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=14, how="posted"))
    timeline = Timelines(redis).find("contact")
    assert timeline
    assert [event.step for event in timeline.events] == ["accepted", "sending", "sent"]


@pytest.mark.parametrize("silence", ["uninstalled", "paused", "removed"])
def test_a_location_that_falls_silent_forbids_the_next_post(redis: Redis, silence: str) -> None:
    """After an uninstall, a pause or a removal since the last check, the guards are checked again."""
    keep(redis)
    lanes, change = lanes_of(redis), AppChange(installed=False, location_id=HERE, company_id="", at_ms=0)
    accept(redis, message())
    turn = take(lanes)
    match silence:
        case "uninstalled":
            Installs(redis, retention_ms=RETENTION_MS).note(change)
        case "paused":
            locations_of(redis).pause(HERE, paused=True)
        case "removed":
            redis.delete(key("location", HERE))
    with pytest.raises(StandingChanged):
        lanes.sending(turn, part(), at_ms=1, channel="SMS", revision=0)


def test_a_lease_is_held_once_more_before_what_cannot_be_taken_back(redis: Redis) -> None:
    """The holder renews it; one that was replaced, or learns of the renewal too late, can't."""
    keep(redis)
    accept(redis, message())
    lanes = lanes_of(redis, lease=1)
    turn = take(lanes)
    lanes.hold(turn)
    ticks = itertools.count(step=2)
    slow = Lanes(redis, lease_seconds=1, retention_ms=RETENTION_MS, clock=lambda: next(ticks))
    with pytest.raises(Fenced):
        slow.hold(turn)
    pass_time(redis, 2)
    assert take(lanes).token != turn.token
    with pytest.raises(Fenced):
        lanes.hold(turn)


@pytest.mark.one_server("it reads one server's count of changes")
def test_a_lease_that_is_nearly_whole_is_renewed_without_a_write(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    """This avoids a sync of the file right before a request; after a tenth of it it is written, and a lost one is reported."""

    def written() -> int:
        return int(redis.info("persistence")["rdb_changes_since_last_save"])

    before = written()
    assert lanes.renew([turn]) == ()
    assert written() == before
    pass_time(redis, LONG * 0.11)
    before = written()
    assert lanes.renew([turn]) == ()
    assert written() > before
    redis.hset(key("lane", str(LANE)), "lease", "of another")
    assert lanes.renew([turn]) == (LANE,)
