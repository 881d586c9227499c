"""Circuits: when a provider counts as down, who probes it, and how others wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import Unavailable
from bridge.model import Again, Completion, Lane, Turn
from bridge.store.limits.circuits import (
    FAULTS_UNTIL_OPEN,
    GHL_POSTS,
    GHL_PROBES,
    GHL_READS,
    KEPT_MS,
    LANES_UNTIL_OPEN,
    Circuits,
)
from bridge.store.operators.symptoms import look
from bridge.store.redis.connection import connect_without_retries, now_ms
from tests.keys import key
from tests.stored import (
    HERE,
    LANE,
    RETENTION_MS,
    accept,
    admit,
    bell,
    claim,
    due_ms,
    keep,
    lanes_of,
    message,
    pass_time,
    snapshot,
)

if TYPE_CHECKING:
    from redis import Redis

    from bridge.store.lanes.leases import Lanes

EVERY, TIMEOUT = 30.0, 120.0
AGENCII, OTHER = "agencii-1", "agencii-2"
PARKED = Again(wait=600, why="down", counts=False, circuits=(AGENCII,))


@pytest.fixture
def circuits(redis: Redis) -> Circuits:
    keep(redis)
    return Circuits(redis, every=EVERY)


@pytest.fixture
def lanes(redis: Redis) -> Lanes:
    return lanes_of(redis)


def turns(redis: Redis, count: int, *, prefix: str = "c") -> list[Turn]:
    """Leased turns of this many contacts."""
    accept(redis, *(message(f"m-{prefix}{number}", f"{prefix}{number}") for number in range(count)))
    lanes = lanes_of(redis)
    held = [lanes.lease(lane) for lane in claim(lanes)]
    return [turn for turn in held if turn]


def fault(redis: Redis, circuits: Circuits, turn: Turn, *, circuit: str = AGENCII, age: float = 0.0) -> bool:
    asked_at = now_ms(redis) - round(age * 1000)
    return circuits.fault(circuit, turn, name="agencii", asked_at_ms=asked_at)


def opened(redis: Redis, circuits: Circuits) -> list[Turn]:
    """Turns that have opened the circuit."""
    held = turns(redis, FAULTS_UNTIL_OPEN)
    assert [fault(redis, circuits, turn) for turn in held] == [False] * (FAULTS_UNTIL_OPEN - 1) + [True]
    return held


def park(lanes: Lanes, turn: Turn, again: Again = PARKED) -> None:
    lanes.again(turn, [turn.messages[0].id], again)


def test_a_circuit_opens_after_so_many_faults_in_a_row(redis: Redis, circuits: Circuits) -> None:
    """Until then all turns are admitted, and afterwards none; another login has its own circuit."""
    held = opened(redis, circuits)
    assert admit(lanes_of(redis), held[0], AGENCII, seconds=TIMEOUT) == "open"
    assert admit(lanes_of(redis), held[0], OTHER, seconds=TIMEOUT) == "closed"
    assert [(down.name, down.location_id, down.waiting) for down in circuits.down().values()] == [("agencii", HERE, 0)]


def test_an_answer_between_begins_the_count_anew(redis: Redis, circuits: Circuits) -> None:
    """Only faults in a row count."""
    held = turns(redis, 3 * FAULTS_UNTIL_OPEN)
    for number, turn in enumerate(held):
        assert not fault(redis, circuits, turn)
        if number % (FAULTS_UNTIL_OPEN - 1) == 0:
            circuits.passed(AGENCII, LANE)
    assert circuits.down() == {}


def test_the_faults_of_few_conversations_open_nothing(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """A conversation that always causes faults says nothing about the others."""
    accept(redis, *(message(f"m{number}", f"c{number}") for number in range(LANES_UNTIL_OPEN - 1)))
    for _ in range(12 * FAULTS_UNTIL_OPEN):
        for lane in claim(lanes):
            turn = lanes.lease(lane)
            assert turn
            assert not fault(redis, circuits, turn)
            lanes.give_back(turn)
    assert circuits.down() == {}
    assert redis.hlen(key("circuit", AGENCII, "faults")) <= 10 * FAULTS_UNTIL_OPEN


def test_a_turns_fault_counts_once(redis: Redis, circuits: Circuits) -> None:
    """This holds however often the script is sent."""
    first, *others = turns(redis, LANES_UNTIL_OPEN)
    for _ in range(10):
        assert not fault(redis, circuits, first)
    assert [fault(redis, circuits, turn) for turn in others] == [False] * len(others)


def test_old_faults_are_no_faults_in_a_row(redis: Redis, circuits: Circuits) -> None:
    """They are forgotten after ten times the time between probes."""
    fault(redis, circuits, turns(redis, 1)[0])
    assert 0 < redis.pttl(key("circuit", AGENCII, "faults")) <= 10 * EVERY * 1000


def test_one_turn_at_a_time_may_try(redis: Redis, circuits: Circuits) -> None:
    """Between probes no turn is admitted; then one is, also if its script is repeated, and no other until its time is over."""
    held = opened(redis, circuits)
    pass_time(redis, EVERY - 1)
    assert admit(lanes_of(redis), held[0], AGENCII, seconds=TIMEOUT) == "open"
    pass_time(redis, 1)
    assert [admit(lanes_of(redis), held[0], AGENCII, seconds=TIMEOUT) for _ in range(2)] == ["probe", "probe"]
    pass_time(redis, TIMEOUT)
    assert admit(lanes_of(redis), held[1], AGENCII, seconds=TIMEOUT) == "open"
    pass_time(redis, 10)
    assert admit(lanes_of(redis), held[1], AGENCII, seconds=TIMEOUT) == "probe"


def test_a_probe_that_fails_puts_the_next_one_off(redis: Redis, circuits: Circuits) -> None:
    """The next probe is after the time between probes; other reports meanwhile change nothing."""
    held = opened(redis, circuits)
    pass_time(redis, EVERY)
    assert admit(lanes_of(redis), held[0], AGENCII, seconds=TIMEOUT) == "probe"
    assert fault(redis, circuits, held[1])
    assert admit(lanes_of(redis), held[1], AGENCII, seconds=TIMEOUT) == "open"
    assert fault(redis, circuits, held[0])
    pass_time(redis, EVERY - 1)
    assert admit(lanes_of(redis), held[1], AGENCII, seconds=TIMEOUT) == "open"
    pass_time(redis, 1)
    assert admit(lanes_of(redis), held[1], AGENCII, seconds=TIMEOUT) == "probe"


@pytest.mark.parametrize("how", ["answered", "passed"])
def test_an_answer_closes_the_circuit(redis: Redis, circuits: Circuits, lanes: Lanes, how: str) -> None:
    """The turn with the answer closes the circuit; after that all turns are admitted."""
    held = opened(redis, circuits)
    if how == "passed":
        circuits.passed(AGENCII, LANE)
    else:
        lanes.answered(held[0], [], Completion(text="yes"), at_ms=1, seconds=0.1, circuit=AGENCII)
    assert admit(lanes_of(redis), held[1], AGENCII, seconds=TIMEOUT) == "closed"
    assert circuits.down() == {}


def test_faults_of_questions_from_before_the_recovery_are_no_news(redis: Redis, circuits: Circuits) -> None:
    """Calls that hung when the provider recovered may end long after it."""
    held = opened(redis, circuits)
    circuits.passed(AGENCII, LANE)
    for _ in range(3):
        assert not any(fault(redis, circuits, turn, age=60) for turn in held)
    assert admit(lanes_of(redis), held[0], AGENCII, seconds=TIMEOUT) == "closed"


# Waiting


def test_who_waits_for_a_provider_is_left_alone(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """No claim wakes it between probes, and it has no slot; for a probe the lane that has waited longest is woken."""
    held = opened(redis, circuits)
    for number, turn in enumerate(held):
        park(lanes, turn)
        redis.zadd(key("circuit", AGENCII, "waiting"), {str(turn.lane): number})
    assert (claim(lanes), redis.zcard(key("inflight"))) == ((), 0)
    pass_time(redis, EVERY - 1)
    assert claim(lanes) == ()
    pass_time(redis, 1)
    assert claim(lanes) == (held[0].lane,)
    assert claim(lanes) == ()
    assert next(iter(circuits.down().values())).waiting == len(held) - 1


def test_a_woken_lane_that_tries_nothing_is_followed_by_another(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """This holds for one that was skipped, and for one whose worker died."""
    held = opened(redis, circuits)
    for turn in held:
        park(lanes, turn)
    woken: set[Lane] = set()
    for _ in held:
        pass_time(redis, EVERY)
        woken.update(claim(lanes))
    assert woken == {turn.lane for turn in held}


def test_all_are_woken_when_it_answers_again(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """Some are woken with every claim; it rings, and the circuit's own schedule is empty."""
    held = opened(redis, circuits)
    for turn in held:
        park(lanes, turn)
    with bell(redis) as rung:
        circuits.passed(AGENCII, LANE)
        assert rung() == 1
    woken = [*claim(lanes, most=2), *claim(lanes, most=2), *claim(lanes, most=2)]
    assert sorted(map(str, woken)) == sorted(str(turn.lane) for turn in held)
    claim(lanes)
    assert not redis.exists(key("circuits"), key("circuits", "open"), key("circuit", AGENCII, "waiting"))


def test_the_oldest_come_first_when_it_answers_again(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """No lane is claimed before the last one is woken, although that takes several steps."""
    held = turns(redis, 600)
    for turn in held[:FAULTS_UNTIL_OPEN]:
        fault(redis, circuits, turn)
    for number, turn in enumerate(held):
        redis.hset(key("message", HERE, turn.messages[0].id), "at", 1_000_000 + number)
    for turn in reversed(held):
        park(lanes, turn)
    circuits.passed(AGENCII, LANE)
    steps = [claim(lanes), claim(lanes), claim(lanes)]
    assert [len(step) for step in steps] == [0, 0, 600]
    assert steps[-1] == tuple(turn.lane for turn in held)


def test_a_look_after_its_age_keeps_a_lanes_place(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """Only a failed probe goes to the end of the queue."""
    held = opened(redis, circuits)
    for turn in held:
        park(lanes, turn)
    redis.zadd(key("due", HERE), {held[0].lane.contact_id: 1})
    redis.zadd(key("due"), {HERE: 1})
    redis.delete(key("circuits"))
    again = lanes.lease(claim(lanes)[0])
    assert again
    park(lanes, again)
    first = redis.zrange(key("circuit", AGENCII, "waiting"), 0, 0)[0]
    assert first == str(held[0].lane)


def test_a_probe_that_ends_without_a_word_makes_room_for_the_next(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """A rule may have ended it before it asked anything."""
    held = opened(redis, circuits)
    park(lanes, held[1])
    pass_time(redis, EVERY)
    assert admit(lanes, held[0], AGENCII, seconds=TIMEOUT) == "probe"
    assert claim(lanes) == ()
    lanes.again(held[0], [held[0].messages[0].id], Again(wait=50, why="closed", counts=False))
    assert claim(lanes) == (held[1].lane,)


def test_a_turn_is_told_how_ghl_is(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """It is empty while all is well, and else says that a request failed lately, or which circuit is open, except for a probe."""
    first, *held = turns(redis, 5)
    assert (first.ghl_down, first.ghl_doubted) == ("", False)
    assert not circuits.ghl_fault(GHL_READS, first, unreachable=True, asked_at_ms=now_ms(redis))
    seen = lanes.reread(held[0])
    assert seen
    assert (seen.ghl_down, seen.ghl_doubted) == ("", True)
    for turn in held:
        circuits.ghl_fault(GHL_READS, turn, unreachable=True, asked_at_ms=now_ms(redis))
        circuits.ghl_fault(GHL_POSTS, turn, unreachable=True, asked_at_ms=now_ms(redis))
    assert list(circuits.down()) == [GHL_POSTS, GHL_READS]
    assert [turn.ghl_down for turn in map(lanes.reread, held) if turn] == [GHL_READS] * 4
    pass_time(redis, EVERY / GHL_PROBES)
    redis.hset(key("circuit", GHL_POSTS), "probe_at", now_ms(redis) + 60_000)
    assert [turn.ghl_down for turn in map(lanes.reread, held) if turn] == ["", GHL_READS, GHL_READS, GHL_READS]


def test_who_comes_to_wait_too_late_does_not_wait(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """If the provider has answered meanwhile, the lane is due at once."""
    held = opened(redis, circuits)
    circuits.passed(AGENCII, LANE)
    park(lanes, held[0])
    assert claim(lanes) == (held[0].lane,)


def test_a_lane_may_wait_for_two(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """The first of them that answers wakes it."""
    held = opened(redis, circuits)
    for turn in held:
        fault(redis, circuits, turn, circuit=OTHER)
    park(lanes, held[0], Again(wait=600, why="both down", counts=False, circuits=(AGENCII, OTHER)))
    circuits.passed(OTHER, LANE)
    assert claim(lanes) == (held[0].lane,)


def test_waiting_ends_by_itself(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """A lane that is not woken checks the age of its messages from time to time."""
    held = opened(redis, circuits)
    park(lanes, held[0])
    redis.delete(key("circuits"))
    pass_time(redis, 599)
    assert claim(lanes) == ()
    pass_time(redis, 2)
    assert claim(lanes) == (held[0].lane,)


def test_a_message_that_joins_does_not_end_the_waiting(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """It waits with the others."""
    held = opened(redis, circuits)
    park(lanes, held[0])
    accept(redis, message("joined", held[0].lane.contact_id))
    assert claim(lanes) == ()
    circuits.passed(AGENCII, LANE)
    turn = lanes.lease(claim(lanes)[0])
    assert turn
    assert [one.id for one in turn.messages] == ["m-c0", "joined"]


def test_waiting_is_no_try_and_no_other_wait_is_cut_short(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """A woken lane that now waits for another reason keeps waiting."""
    held = opened(redis, circuits)
    park(lanes, held[0])
    pass_time(redis, EVERY)
    turn = lanes.lease(claim(lanes)[0])
    assert turn
    assert turn.attempts == 0
    lanes.again(turn, [turn.messages[0].id], Again(wait=50, why="GHL is busy"))
    redis.zadd(key("circuit", AGENCII, "waiting"), {str(turn.lane): 1})
    circuits.passed(AGENCII, LANE)
    assert claim(lanes) == ()
    due = due_ms(redis, turn.lane)
    assert due
    assert due - now_ms(redis) == pytest.approx(50_000, abs=2_000)


def test_every_script_sent_twice_is_one(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """redis-py may repeat them by itself."""
    held = opened(redis, circuits)
    park(lanes, held[0])
    before = snapshot(redis, without=("probe_at", key("circuits")))
    assert fault(redis, circuits, held[-1])
    park(lanes, held[0])
    assert snapshot(redis, without=("probe_at", key("circuits"))) == before
    circuits.passed(AGENCII, LANE)
    once = snapshot(redis, without=("closed_at", key("circuits")))
    circuits.passed(AGENCII, LANE)
    assert snapshot(redis, without=("closed_at", key("circuits"))) == once


def test_everything_about_a_circuit_expires(redis: Redis, circuits: Circuits, lanes: Lanes) -> None:
    """Only its place on the schedule doesn't, and the next claim removes that when nothing else is left."""
    held = opened(redis, circuits)
    park(lanes, held[0])
    assert 0 < redis.pttl(key("circuit", AGENCII)) <= KEPT_MS
    assert 0 < redis.pttl(key("circuit", AGENCII, "waiting")) <= RETENTION_MS
    redis.delete(key("circuit", AGENCII), key("circuit", AGENCII, "waiting"))
    pass_time(redis, EVERY)
    claim(lanes)
    assert not redis.exists(key("circuits"), key("circuits", "open"))


def test_the_operator_is_told_of_a_provider_that_is_down(redis: Redis, circuits: Circuits) -> None:
    """The problem is listed as long as it lasts."""
    opened(redis, circuits)
    assert [down.name for down in look(redis).down.values()] == ["agencii"]
    circuits.passed(AGENCII, LANE)
    assert look(redis).down == {}


def test_without_redis_nothing_is_known_of_a_provider(redis: Redis) -> None:
    """Every method reports it."""
    keep(redis)
    (turn,) = turns(redis, 1)
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        circuits = Circuits(nowhere, every=1)
        for call in (
            lambda: circuits.fault(AGENCII, turn, name="x", asked_at_ms=1),
            lambda: circuits.passed(AGENCII, LANE),
            circuits.down,
        ):
            with pytest.raises(Unavailable):
                call()
