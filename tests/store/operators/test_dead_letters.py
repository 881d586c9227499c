"""Dead letters: superseded by the next message, replayed once, or dropped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import Unavailable
from bridge.model import Again, Completion, ContactId, Dead, Ended, Lane, LedgerEntry, LocationId, MessageId, SendState, Status
from bridge.store.lanes.inbox import MOST_WAITING
from bridge.store.redis.connection import connect, connect_without_retries, text
from tests.keys import card, key
from tests.stored import (
    HERE,
    LANE,
    RETENTION_MS,
    accept,
    check,
    claim,
    dead_letters_of,
    due_ms,
    keep,
    lanes_of,
    locations_of,
    message,
    own_redis,
    part,
    pass_time,
    posted,
    snapshot,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from redis import Redis

    from bridge.model import Turn
    from bridge.store.lanes.leases import Lanes
    from bridge.store.operators.dead_letters import DeadLetters

CARRIED = key("carried", str(LANE))
ANSWER = Completion(text="yes", trace_id="t")


@pytest.fixture
def lanes(redis: Redis) -> Lanes:
    keep(redis)
    return lanes_of(redis)


@pytest.fixture
def dead_letters(redis: Redis) -> DeadLetters:
    return dead_letters_of(redis)


def write_dead_letter(lanes: Lanes, turn: Turn, *, refused: str = "") -> str:
    ids = [one.id for one in turn.messages]
    lanes.write_dead_letter(turn, ids, Dead(error="no", refused=refused), answer=turn.answer, at_ms=1)
    return turn.id


def dead_lettered(redis: Redis, lanes: Lanes, *ids: str, **fields: Any) -> str:
    """A dead letter with these messages."""
    accept(redis, *(message(id_, **fields) for id_ in ids or ("m1",)))
    return write_dead_letter(lanes, take(lanes))


def end(lanes: Lanes, turn: Turn) -> None:
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=tuple(one.id for one in turn.messages)))


def status(redis: Redis, id_: str = "m1") -> list[str]:
    return [text(one or "") for one in redis.hmget(key("message", HERE, id_), ["status", "reason"])]


def carried(turn: Turn) -> list[str]:
    return [one.id for one in turn.carried]


# Superseding


def test_a_young_dead_letter_is_superseded(redis: Redis, lanes: Lanes) -> None:
    """A newer message closes it, and its turn carries the texts until it ends."""
    id_ = dead_lettered(redis, lanes, "m1", "m2")
    accept(redis, message("m3"))
    assert [status(redis, one) for one in ("m1", "m2")] == [["skipped", "superseded"]] * 2
    assert not card(redis, "dead")
    assert dead_letters_of(redis).replay(id_, force=True) == "closed"
    turn = take(lanes)
    assert ([one.id for one in turn.messages], carried(turn)) == (["m3"], ["m1", "m2"])
    lanes.again(turn, [MessageId("m3")], Again(wait=0, why="busy"))
    turn = take(lanes)
    assert carried(turn) == ["m1", "m2"]
    end(lanes, turn)
    assert not redis.exists(CARRIED)


def test_an_old_dead_letter_stays(redis: Redis, lanes: Lanes) -> None:
    """A dead letter beyond the location's maximum age is left to the operator."""
    keep(redis, max_age_seconds=100)
    id_ = dead_lettered(redis, lanes)
    pass_time(redis, 101)
    accept(redis, message("m2"))
    assert status(redis) == ["dead", ""]
    assert carried(take(lanes)) == []
    assert dead_letters_of(redis).replay(id_, force=False) == "replayed"


def test_a_dead_letter_of_another_line_stays(redis: Redis, lanes: Lanes) -> None:
    """A message on another channel neither answers nor closes it; the next one on its own does."""
    dead_lettered(redis, lanes)
    accept(redis, message("m2", message_type_string="TYPE_WHATSAPP"))
    assert status(redis) == ["dead", ""]
    accept(redis, message("m3"))
    assert status(redis) == ["skipped", "superseded"]


def test_a_turn_ends_only_the_texts_that_it_took_along(redis: Redis, lanes: Lanes) -> None:
    """Texts that were superseded during another turn, or on another line, wait for their own turn."""
    accept(redis, message("m1"), message("m2", message_type_string="TYPE_WHATSAPP"))
    turn = take(lanes)
    lanes.write_dead_letter(turn, [MessageId("m1")], Dead(error="no"), answer=None, at_ms=1)
    other = take(lanes)
    accept(redis, message("m3"))
    assert carried(other) == []
    lanes.end(other, Ended(status=Status.REPLIED, message_ids=(MessageId("m2"),)))
    following = take(lanes)
    assert ([one.id for one in following.messages], carried(following)) == (["m3"], ["m1"])
    accept(redis, message("m4", message_type_string="TYPE_WHATSAPP"))
    pass_time(redis, 1001)
    following = take(lanes)
    lanes.end(following, Ended(status=Status.REPLIED, message_ids=(MessageId("m4"),)))
    assert carried(take(lanes)) == ["m1"]


def test_carried_texts_survive_a_second_death(redis: Redis, lanes: Lanes) -> None:
    """They are before those of the turn that carried them, in the order of their dead letters."""
    dead_lettered(redis, lanes, "m1")
    dead_lettered(redis, lanes, "m2")
    assert 0 < redis.pttl(CARRIED) <= RETENTION_MS
    accept(redis, message("m3"))
    assert redis.pttl(CARRIED) == -1
    assert carried(take(lanes)) == ["m1", "m2"]


def test_carried_texts_are_bounded(redis: Redis, lanes: Lanes) -> None:
    """The newest 200 are included."""
    for start in (0, 150):
        dead_lettered(redis, lanes, *(f"m{number:03}" for number in range(start, start + 150)))
    accept(redis, message("last"))
    assert carried(take(lanes)) == [f"m{number:03}" for number in range(100, 300)]


def test_two_lanes_supersede_apart(redis: Redis, lanes: Lanes) -> None:
    """Messages of other contacts and locations change nothing."""
    dead_lettered(redis, lanes)
    keep(redis, "there")
    accept(redis, message("m2", "other"), message("m3", location="there"))
    assert status(redis) == ["dead", ""]


# Replays


def test_a_replay_keeps_answer_and_ledger(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """The turn returns under its id, due at once, with its data and without earlier attempts."""
    accept(redis, message("m1"), message("m2"))
    turn = take(lanes)
    both = [one.id for one in turn.messages]
    lanes.asking(turn, both, at_ms=11, may_deliver=True, circuit="c", seconds=1)
    lanes.answered(turn, both, ANSWER, at_ms=12, seconds=0.1, may_deliver=True)
    lanes.sending(turn, part("0"), revision=0, at_ms=13, channel="SMS")
    lanes.again(turn, both, Again(wait=0, why="busy"))
    id_ = write_dead_letter(lanes, take(lanes))
    keep(redis, debounce=50)
    assert dead_letters.replay(id_, force=False) == "replayed"
    assert (status(redis, "m1"), status(redis, "m2")) == (["waiting", ""], ["waiting", ""])
    again = take(lanes)
    assert (again.id, again.replayed, again.attempts, again.unfinished, again.stale) == (id_, True, 0, 1, 0)
    assert (again.answer, again.answered, again.answered_at_ms) == (ANSWER, tuple(both), 12)
    assert again.ledger["0"] == LedgerEntry(state=SendState.SENDING, at_ms=13, last=True)
    assert [one.id for one in again.messages] == both
    end(lanes, again)
    assert (due_ms(redis), status(redis)) == (None, ["replied", ""])


def test_two_replays_at_once_are_one(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """Of many simultaneous requests one replays, the others are told that it is closed, and there is one turn."""
    id_ = dead_lettered(redis, lanes)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: dead_letters.replay(id_, force=False), range(16)))
    assert sorted(results) == ["closed"] * 15 + ["replayed"]
    assert redis.lrange(key("replays", str(LANE)), 0, -1) == [id_]
    end(lanes, take(lanes))
    assert claim(lanes) == ()
    assert dead_letters.replay(id_, force=True) == "closed"


def test_an_unknown_dead_letter_is_not_replayed(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """An id that never existed, or has expired, is unknown, and nothing changes."""
    del lanes
    before = snapshot(redis)
    assert (dead_letters.replay("nobody", force=True), dead_letters.drop(["nobody"])) == ("unknown", ["unknown"])
    assert snapshot(redis) == before


def test_a_replay_behind_a_newer_answer_needs_force(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """After a newer turn was answered, a replay would be too late; an operator may force it."""
    id_ = dead_lettered(redis, lanes)
    pass_time(redis, 1)
    accept(redis, message("m2", message_type_string="TYPE_WHATSAPP"))
    end(lanes, take(lanes))
    before = snapshot(redis)
    assert dead_letters.replay(id_, force=False) == "newer"
    assert snapshot(redis) == before
    assert dead_letters.replay(id_, force=True) == "replayed"


def test_an_answer_before_the_death_is_no_hindrance(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """A message that was answered before the dead letter's turn failed is older than it."""
    accept(redis, message("m0"))
    end(lanes, take(lanes))
    pass_time(redis, 1)
    assert dead_letters.replay(dead_lettered(redis, lanes), force=False) == "replayed"


def test_a_replay_waits_for_the_turn_in_work(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """While the lane is leased, its holder continues; the replay is next, before waiting messages."""
    id_ = dead_lettered(redis, lanes)
    accept(redis, message("m2", message_type_string="TYPE_WHATSAPP"))
    turn = take(lanes)
    before = due_ms(redis)
    assert dead_letters.replay(id_, force=False) == "replayed"
    assert due_ms(redis) == before
    accept(redis, message("m3"))
    check(lanes, turn, revision=0, seconds=1)
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(MessageId("m2"),)))
    again = take(lanes)
    assert (again.id, [one.id for one in again.messages]) == (id_, ["m1"])
    end(lanes, again)
    assert [one.id for one in take(lanes).messages] == ["m3"]


def test_a_replay_waits_for_a_retry(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """A turn that is to be retried keeps its time and its place."""
    id_ = dead_lettered(redis, lanes)
    accept(redis, message("m2", message_type_string="TYPE_WHATSAPP"))
    turn = take(lanes)
    lanes.again(turn, [MessageId("m2")], Again(wait=300, why="asked to wait"))
    planned = due_ms(redis)
    assert dead_letters.replay(id_, force=False) == "replayed"
    assert due_ms(redis) == planned
    pass_time(redis, 301)
    retried = take(lanes)
    assert (retried.id, retried.attempts, retried.replayed) == (turn.id, 1, False)
    end(lanes, retried)
    assert take(lanes).id == id_


def test_a_replay_outlives_its_workers(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """If a worker dies during the replay, it is continued; what has ended is not worked on again."""
    id_ = dead_lettered(redis, lanes, "m1", "m2")
    dead_letters.replay(id_, force=False)
    turn = take(lanes)
    lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(MessageId("m1"),)))
    pass_time(redis, 1001)
    again = take(lanes)
    assert (again.id, again.unfinished, [one.id for one in again.messages]) == (id_, 2, ["m2"])
    lanes.again(again, [MessageId("m2")], Again(wait=0, why="busy"))
    assert [one.id for one in take(lanes).messages] == ["m2"]


def test_a_turn_that_died_with_nothing_left_does_not_swallow_a_replay(
    redis: Redis, lanes: Lanes, dead_letters: DeadLetters
) -> None:
    """A replay that was requested while a worker ended every message and died begins when its lease has expired."""
    id_ = dead_lettered(redis, lanes)
    accept(redis, message("m2", message_type_string="TYPE_WHATSAPP"))
    turn = take(lanes)
    assert dead_letters.replay(id_, force=False) == "replayed"
    lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(MessageId("m2"),)))
    pass_time(redis, 1001)
    assert LANE in claim(lanes)
    assert lanes.lease(LANE) is None
    assert take(lanes).id == id_


def test_a_turn_may_die_twice_under_one_id(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """A replay that fails is open again, listed once, with its answer."""
    accept(redis, message())
    turn = take(lanes)
    lanes.answered(turn, [MessageId("m1")], ANSWER, at_ms=7, seconds=0.1)
    lanes.again(turn, [MessageId("m1")], Again(wait=0, why="busy"))
    id_ = write_dead_letter(lanes, take(lanes))
    for _ in range(3):
        assert dead_letters.replay(id_, force=False) == "replayed"
        again = take(lanes)
        assert (again.id, again.answer, again.answered_at_ms) == (id_, ANSWER, 7)
        write_dead_letter(lanes, again)
        assert [dead_letter.id for dead_letter in dead_letters.all()] == [id_]
        assert status(redis) == ["dead", ""]
    assert redis.lrange(key("buried", str(LANE)), 0, -1) == [id_]


def test_nothing_of_a_replay_expires_before_it_ends(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """Messages, answer and ledger stay while it waits and runs; after its end all of it expires."""
    accept(redis, message())
    turn = take(lanes)
    lanes.sending(turn, part("0"), revision=0, at_ms=13, channel="SMS")
    id_ = write_dead_letter(lanes, turn)
    kept = [key("message", HERE, "m1"), key("dead", id_), key("ledger", id_)]
    assert all(0 < redis.pttl(name) <= RETENTION_MS for name in kept)
    dead_letters.replay(id_, force=False)
    assert [redis.pttl(name) for name in [*kept, key("lane", str(LANE))]] == [-1] * 4
    again = take(lanes)
    assert [redis.pttl(name) for name in kept] == [-1] * 3
    lanes.end(again, Ended(status=Status.SKIPPED, message_ids=(MessageId("m1"),)))
    assert all(0 < redis.pttl(name) <= RETENTION_MS for name in [*kept, key("lane", str(LANE))])


def test_a_replayed_message_is_not_superseded(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """A message that is about to be answered itself is not included in another turn."""
    id_ = dead_lettered(redis, lanes)
    dead_letters.replay(id_, force=False)
    accept(redis, message("m2"))
    assert status(redis) == ["waiting", ""]
    assert not redis.exists(CARRIED)


# Dropping, and looking


def test_a_dropped_dead_letter_is_closed_for_good(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """Its messages are skipped for that reason; it can't be replayed, dropped or superseded."""
    id_ = dead_lettered(redis, lanes)
    assert dead_letters.drop([id_, id_, "nobody"]) == ["dropped", "closed", "unknown"]
    assert status(redis) == ["skipped", "dropped"]
    assert (dead_letters.replay(id_, force=True), list(dead_letters.all()), dead_letters.get(id_)) == ("closed", [], None)
    assert dead_letters.is_known(id_)
    accept(redis, message("m2"))
    assert carried(take(lanes)) == []


def test_dead_letters_are_listed_oldest_first(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """The list has all of them, page by page, or those of one location."""
    keep(redis, "there")
    made = []
    for number in range(3):
        lane = Lane(LocationId("there" if number == 1 else HERE), ContactId(f"c{number}"))
        accept(redis, message(f"m{number}", lane.contact_id, lane.location_id))
        made.append(write_dead_letter(lanes, take(lanes, lane)))
        pass_time(redis, 1)
    found = list(dead_letters.all())
    assert [dead_letter.id for dead_letter in found] == made
    assert [dead_letter.id for dead_letter in dead_letters.all(location_id=LocationId("there"))] == made[1:2]
    one = dead_letters.get(made[1])
    assert one == found[1]
    assert (one.lane, one.message_ids, one.channel, one.error, one.attempts) == (
        Lane(LocationId("there"), ContactId("c1")),
        ("m1",),
        "SMS",
        "no",
        1,
    )


# Holds


def hold(redis: Redis, lanes: Lanes, *, side: str = "ghl") -> list[str]:
    """Put the location on hold; returns the dead letters that caused it."""
    ids = []
    for number in range(3):
        contact = f"refused{number}"
        accept(redis, message(f"x{number}", contact))
        ids.append(write_dead_letter(lanes, take(lanes, Lane(HERE, ContactId(contact))), refused=side))
    return ids


def lift(redis: Redis) -> int | None:
    return locations_of(redis).lift_hold(HERE, why="test")


def test_what_is_in_flight_waits_out_a_hold(redis: Redis, lanes: Lanes) -> None:
    """Two hundred turns that are refused after the third wait with their data, and are due when the hold is lifted."""
    contacts = [f"c{number:03}" for number in range(200)]
    accept(redis, *(message(contact, contact) for contact in contacts))
    turns = [turn for lane in claim(lanes) if (turn := lanes.lease(lane))]
    assert len(turns) == 200
    causes = hold(redis, lanes)
    for turn in turns:
        lanes.answered(turn, [turn.messages[0].id], ANSWER, at_ms=1, seconds=0.1)
        ids = [turn.messages[0].id]
        assert not lanes.write_dead_letter(turn, ids, Dead(error="no", refused="ghl"), answer=ANSWER, at_ms=1)
        assert status(redis, ids[0]) == ["waiting", ""]
    assert card(redis, "dead") == 3
    assert claim(lanes) == ()
    assert lift(redis) == 3
    again = {lane.contact_id: lanes.lease(lane) for lane in claim(lanes)}
    assert set(again) == {*contacts, "refused0", "refused1", "refused2"}
    replayed = {turn.id for turn in again.values() if turn and turn.replayed}
    waited = {turn.answer for turn in again.values() if turn and not turn.replayed}
    assert (replayed, waited) == (set(causes), {ANSWER})


def test_a_hold_holds_one_location(redis: Redis, lanes: Lanes) -> None:
    """New messages of a held location are accepted and wait; those of another one are claimed meanwhile."""
    hold(redis, lanes)
    keep(redis, "there")
    assert accept(redis, message("m1"), message("m2", location="there")) == ["accepted"] * 2
    there = Lane(LocationId("there"), LANE.contact_id)
    assert claim(lanes) == (there,)
    pass_time(redis, 5000)
    assert claim(lanes) == (there,)
    assert due_ms(redis) is not None
    assert lift(redis) == 3
    assert LANE in claim(lanes)


def test_two_sides_are_counted_apart(redis: Redis, lanes: Lanes) -> None:
    """Two refusals of GHL and two of a provider are not three in a row."""
    for number, side in enumerate(["ghl", "provider", "ghl", "provider"]):
        accept(redis, message(f"x{number}", f"c{number}"))
        write_dead_letter(lanes, take(lanes, Lane(HERE, ContactId(f"c{number}"))), refused=side)
    assert not redis.hexists(key("location", HERE), "hold")
    assert lift(redis) is None


def test_a_success_during_a_hold_forgets_no_cause(redis: Redis, lanes: Lanes) -> None:
    """A post in progress when the hold began doesn't prevent the replay of the dead letters that caused it."""
    accept(redis, message("m1"))
    turn = take(lanes)
    hold(redis, lanes)
    lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=1, how="posted"))
    assert lift(redis) == 3


def test_a_lifted_hold_counts_anew(redis: Redis, lanes: Lanes) -> None:
    """After a hold three refusals are needed again; what was dropped or superseded meanwhile is not replayed."""
    first, *_ = hold(redis, lanes)
    dead_letters_of(redis).drop([first])
    accept(redis, message("newer", "refused1"))
    assert lift(redis) == 1
    assert lift(redis) is None
    turn = take(lanes, Lane(HERE, ContactId("refused2")))
    write_dead_letter(lanes, turn, refused="ghl")
    assert not redis.hexists(key("location", HERE), "hold")


def test_the_ledger_of_a_held_turn_does_not_expire(redis: Redis, lanes: Lanes) -> None:
    """After a hold of any length it is known what was sent."""
    accept(redis, message())
    turn = take(lanes)
    lanes.sending(turn, part("0"), revision=0, at_ms=13, channel="SMS")
    hold(redis, lanes)
    lanes.write_dead_letter(turn, [MessageId("m1")], Dead(error="no", refused="ghl"), answer=None, at_ms=1)
    assert redis.pttl(key("ledger", turn.id)) == -1


# Overflow


def test_a_lane_holds_so_many_and_no_more(redis: Redis, lanes: Lanes) -> None:
    """Of 1,010 messages the last ten overflow: recorded with that reason, in the timeline, and never asked about."""
    outcomes = accept(redis, *(message(f"m{number}") for number in range(MOST_WAITING + 10)))
    assert outcomes == ["accepted"] * MOST_WAITING + ["overflow"] * 10
    assert redis.llen(key("waiting", str(LANE))) == MOST_WAITING
    assert status(redis, f"m{MOST_WAITING}") == ["skipped", "overflow"]
    assert 0 < redis.pttl(key("message", HERE, f"m{MOST_WAITING}")) <= RETENTION_MS
    assert accept(redis, message(f"m{MOST_WAITING}")) == ["duplicate"]
    turn = take(lanes)
    end(lanes, turn)
    assert accept(redis, message("after")) == ["accepted"]


def test_a_full_redis_drains_dead_letters_and_holds(tmp_path: Path) -> None:
    """At `maxmemory` dead letters can be written, replayed, dropped and given back, and a hold can be lifted."""
    with own_redis(tmp_path) as server, connect(server.url) as redis:
        keep(redis)
        lanes, dead_letters = lanes_of(redis), dead_letters_of(redis)
        accept(redis, message("m1"), message("m2", "other"))
        redis.config_set("maxmemory", 1)
        lanes.unclaim(claim(lanes), pause=0)
        for turn in [turn for lane in claim(lanes) if (turn := lanes.lease(lane))]:
            assert lanes.give_back(turn)
        ids = [write_dead_letter(lanes, turn, refused="ghl") for lane in claim(lanes) if (turn := lanes.lease(lane))]
        assert dead_letters.replay(ids[0], force=False) == "replayed"
        assert dead_letters.drop(ids[1:]) == ["dropped"]
        write_dead_letter(lanes, take(lanes, Lane(HERE, ContactId("contact"))), refused="ghl")
        assert redis.hexists(key("location", HERE), "hold")
        assert lift(redis) == 1
        end(lanes, take(lanes))
        redis.config_set("maxmemory", 0)
        assert not redis.exists(key("due"))


def test_without_redis_dead_letters_are_unavailable() -> None:
    """Every method reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        dead_letters = dead_letters_of(nowhere)
        calls: list[Callable[[], object]] = [
            lambda: dead_letters.get("x"),
            lambda: dead_letters.is_known("x"),
            lambda: list(dead_letters.all()),
            lambda: dead_letters.replay("x", force=False),
            lambda: dead_letters.drop(["x"]),
            lambda: lift(nowhere),
        ]
        for call in calls:
            with pytest.raises(Unavailable):
                call()


def test_the_same_command_again_changes_nothing(redis: Redis, lanes: Lanes, dead_letters: DeadLetters) -> None:
    """Replaying, dropping, lifting, giving back and putting back have the same effect when a client sends them twice."""
    first = dead_lettered(redis, lanes)
    accept(redis, message("m2", "other"))
    second = write_dead_letter(lanes, take(lanes, Lane(HERE, ContactId("other"))))
    accept(redis, message("m3", "third"), message("m4", "fourth"))
    third = take(lanes, Lane(HERE, ContactId("third")))
    hold(redis, lanes)
    acts: list[Callable[[], object]] = [
        lambda: dead_letters.replay(first, force=True),
        lambda: dead_letters.drop([second]),
        lambda: lift(redis),
        lambda: lanes.give_back(third),
        lambda: lanes.unclaim([Lane(HERE, ContactId("fourth"))], pause=100),
    ]
    for act in acts:
        act()
        before = snapshot(redis)
        act()
        assert snapshot(redis) == before
