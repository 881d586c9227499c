"""Answering against real servers: stale answers, replayed dead letters, holds, and the effects of a dead letter."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import Completion, MessageId
from bridge.store.redis.connection import now_ms
from tests.keys import card, key
from tests.stored import (
    HERE,
    LANE,
    claim,
    dead_letters_of,
    due_ms,
    lanes_of,
    locations_of,
    part,
    pass_time,
    posted,
    take,
)
from tests.world import COMPLETE, CONTACT, LIST, M1, POST, TAGS, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.world import World

REPLIED = ("replied", "")
DEAD = ("dead", "")


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def replay(world: World, id_: str, *, force: bool = False) -> str:
    return dead_letters_of(world.redis).replay(id_, force=force)


def dead_lettered(world: World, path: str = POST, status: int = 400, **fields: Any) -> str:
    """Let a message end as a dead letter because `path` is refused; returns the dead letter."""
    world.write(**fields)
    world.refusing[path] = status
    world.work()
    del world.refusing[path]
    return world.dead_letter()


# Stale answers


def test_a_message_that_comes_while_the_provider_thinks_makes_the_answer_stale(world: World) -> None:
    """The answer is dropped unsent, and one reply answers all messages."""
    world.meanwhile = lambda: world.write("m2")
    world.write()
    world.work()
    assert (world.posts(), world.status("m1")[0]) == ([], "retrying")
    world.work()
    assert world.inputs() == ["text of m1", "text of m1\ntext of m2"]
    assert (world.posts(), world.status("m1"), world.status("m2")) == (["answer 2"], REPLIED, REPLIED)


def test_an_answer_is_dropped_at_most_twice(world: World) -> None:
    """A contact who writes during each completion gets the third answer; what arrived during it is the next turn."""
    world.write()
    for number in (2, 3, 4):
        world.meanwhile = lambda number=number: world.write(f"m{number}")
        world.work()
    assert world.posts() == ["answer 3"]
    assert [world.status(f"m{number}")[0] for number in range(1, 5)] == ["replied", "replied", "replied", "waiting"]
    world.work()
    assert (world.posts(), world.inputs()[-1]) == (["answer 3", "answer 4"], "text of m4")


def test_a_message_of_another_line_makes_nothing_stale(world: World) -> None:
    """A message on another channel is the next turn, and the answer is sent."""
    world.meanwhile = lambda: world.write("m2", message_type_string="TYPE_WHATSAPP")
    world.write()
    world.work()
    assert (world.posts(), world.status("m1"), world.status("m2")[0]) == (["answer 1"], REPLIED, "waiting")
    world.work()
    assert (world.posts(), world.inputs()) == (["answer 1", "answer 2"], ["text of m1", "text of m2"])


def test_older_messages_of_another_line_make_a_saved_answer_not_stale(world: World) -> None:
    """Two messages of another channel don't make it stale, even if they are dated before the answered one."""
    world.write()
    world.refusing[POST] = 402
    world.work()
    for id_ in ("w1", "w2"):
        world.write(id_, message_type_string="TYPE_WHATSAPP", date_added_ms=now_ms(world.redis) - 60_000)
    del world.refusing[POST]
    pass_time(world.redis, 2)
    world.work()
    assert (world.posts()[-1], len(world.inputs()), world.status("m1")) == ("answer 1", 1, REPLIED)


def test_a_saved_answer_is_stale_when_messages_joined(world: World) -> None:
    """An answer that could not be posted is requested again with the messages that joined, and this counts as one drop."""
    world.write()
    world.refusing[POST] = 402
    for number in (2, 3, 4, 5):
        world.work()
        world.write(f"m{number}")
        pass_time(world.redis, 2)
    assert world.inputs() == ["text of m1", "text of m1\ntext of m2", "text of m1\ntext of m2\ntext of m3"]
    del world.refusing[POST]
    world.work()
    assert (world.posts()[-1], world.status("m3"), world.status("m4")[0]) == ("answer 3", REPLIED, "waiting")


@pytest.mark.parametrize("path", [POST, CONTACT])
def test_a_429_is_no_try_and_lets_the_location_wait(world: World, path: str) -> None:
    """However many 429s come, there is no dead letter, no second completion and no claim of the location's lanes meanwhile."""
    world.keep(contact_lookup=path == CONTACT)
    world.write()
    world.refusing[path] = 429
    for _ in range(6):
        world.work(delays=(1.0,))
        assert world.status()[0] == "waiting"
        assert claim(lanes_of(world.redis)) == ()
        pass_time(world.redis, 10)
    del world.refusing[path]
    world.work(delays=(1.0,))
    assert (len(world.inputs()), set(world.posts()), world.status()) == (1, {"answer 1"}, REPLIED)
    assert world.redis.hget(key("lane", str(LANE)), "attempts") is None


def test_a_saved_answer_without_newer_messages_is_used(world: World) -> None:
    """Another attempt to send uses the saved answer and requests no second completion."""
    world.write()
    world.refusing[POST] = 402
    for _ in range(3):
        world.work()
        pass_time(world.redis, 2)
    del world.refusing[POST]
    world.work()
    assert (len(world.inputs()), set(world.posts()), world.status()) == (1, {"answer 1"}, REPLIED)


@pytest.mark.parametrize("listed", [True, False])
def test_an_answer_that_may_have_been_sent_is_never_stale(world: World, *, listed: bool) -> None:
    """From `sending` on, later messages are the next turn; a part that is proven absent is sent unchanged."""
    world.write()
    world.refusing[POST] = 500
    world.work(readback=(0.0,))
    world.write("m2")
    del world.refusing[POST]
    world.listed = [world.row("answer 1", "r9")] if listed else []
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (world.status("m1"), world.status("m2")[0], len(world.inputs())) == (REPLIED, "waiting", 1)
    assert world.posts() == ["answer 1"] * (1 if listed else 2)


def test_a_dropped_answer_of_a_provider_that_may_deliver_settles_nothing(world: World) -> None:
    """The answer claimed no delivery, so the next question is asked at once, without reading the conversation back."""
    world.keep(assistable={"delivery": "auto"}, history_messages=0)
    world.meanwhile = lambda: world.write("m2")
    world.write()
    world.work(readback=(60.0,))
    world.work(readback=(60.0,))
    assert (world.posts(), len(world.inputs()), world.status("m2")) == (["answer 2"], 2, REPLIED)
    assert LIST not in [path for path, _ in world.calls]


def test_an_answer_that_the_provider_says_it_delivered_is_never_stale(world: World) -> None:
    """The claim is checked for the messages in its question; a message that joined is the next turn, with its own question."""
    world.keep(assistable={"delivery": "auto"})
    world.completion = {"message": {"messageId": "g1"}}
    world.write()
    world.work(readback=(0.05,))
    world.write("m2")
    world.listed = [world.row("answer 1", "g1")]
    pass_time(world.redis, 2)
    time.sleep(0.05)
    world.work(readback=(0.05,))
    assert (world.status("m1")[0], world.status("m2")[0]) == ("delivered_by_provider", "waiting")
    assert (world.posts(), world.inputs()) == ([], ["text of m1"])


# Unknown outcomes


def test_what_is_neither_found_nor_absent_is_a_dead_letter(world: World) -> None:
    """If an outbound message can't be explained, the outcome stays unknown, and nothing is posted."""
    world.write()
    world.refusing[POST] = 500
    world.work(readback=(0.0,))
    del world.refusing[POST]
    world.listed = [world.row("something else", "r9")]
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (world.status(), len(world.posts())) == (DEAD, 1)
    assert "outcome unknown" in str(world.redis.hget(key("message", HERE, "m1"), "error"))


def test_a_replay_of_an_unknown_outcome_reads_back_first(world: World) -> None:
    """A reply that appears meanwhile is found, and not posted again."""
    test_what_is_neither_found_nor_absent_is_a_dead_letter(world)
    assert replay(world, world.dead_letter()) == "replayed"
    world.listed = [world.row("answer 1", "r9")]
    world.work(readback=(0.0,))
    assert (world.status(), len(world.posts()), len(world.inputs())) == (REPLIED, 1, 1)


# Superseding


def test_a_newer_message_takes_the_texts_of_dead_letters_along(world: World) -> None:
    """Messages without an answer are asked about together with the next ones, in order, even after two dead letters."""
    dead_lettered(world, id_="m1")
    dead_lettered(world, id_="m2")
    assert (world.status("m1"), world.status("m2")) == (("skipped", "superseded"), DEAD)
    world.write("m3")
    world.work()
    assert world.inputs()[-1] == "text of m1\ntext of m2\ntext of m3"
    assert (world.status("m2"), world.status("m3")) == (("skipped", "superseded"), REPLIED)
    world.write("m4")
    world.work()
    assert world.inputs()[-1] == "text of m4"


def test_a_replay_asks_with_what_its_turn_took_along(world: World) -> None:
    """The replay of a turn without an answer asks with its own texts and those that it carried."""
    dead_lettered(world, COMPLETE, id_="m1")
    id_ = dead_lettered(world, COMPLETE, id_="m2")
    assert replay(world, id_) == "replayed"
    world.work()
    assert (world.inputs()[-1], world.status("m2")) == ("text of m1\ntext of m2", REPLIED)
    assert not world.redis.exists(key("carried", str(LANE)))


# Replays


def test_a_replay_goes_on_with_the_saved_answer(world: World) -> None:
    """A replay uses the saved answer and requests no second completion."""
    assert replay(world, dead_lettered(world)) == "replayed"
    world.work()
    assert (len(world.inputs()), set(world.posts()), world.status()) == (1, {"answer 1"}, REPLIED)
    assert not card(world.redis, "dead")


def test_a_replay_never_repeats_what_was_sent(world: World) -> None:
    """A part that the ledger has as sent is not posted again, whatever the dead letter's cause."""
    world.write()
    lanes = lanes_of(world.redis)
    turn = take(lanes)
    lanes.answered(turn, [M1], Completion(text="yes"), at_ms=1, seconds=0.1)
    lanes.sending(turn, part("0"), revision=0, at_ms=2, channel="SMS")
    lanes.sent(turn, posted(part("0"), [MessageId("r9")], at_ms=3, how="posted"))
    pass_time(world.redis, 1001)
    for _ in range(10):
        take(lanes)
        pass_time(world.redis, 1001)
    world.work()
    assert world.status() == DEAD
    assert replay(world, world.dead_letter()) == "replayed"
    world.work()
    assert (world.posts(), world.inputs(), world.status()) == ([], [], REPLIED)


def test_a_replay_ignores_age_and_no_other_guard(world: World) -> None:
    """A replay answers messages of any age, but not against a tag that was added since."""
    id_ = dead_lettered(world)
    pass_time(world.redis, 90_000)
    assert replay(world, id_) == "replayed"
    world.keep(contact_lookup=True, max_age_seconds=0.001)
    world.contact = {"tags": ["ai_off"]}
    world.work()
    assert world.status() == ("skipped", "off_tag")
    world.contact = {}
    world.keep()
    id_ = dead_lettered(world, id_="m2")
    world.keep(contact_lookup=True, max_age_seconds=0.001)
    assert replay(world, id_) == "replayed"
    world.work()
    assert world.status("m2") == REPLIED


def test_a_newer_message_does_not_make_a_replay_stale(world: World) -> None:
    """A replay sends the saved answer; a newer message is the next turn."""
    id_ = dead_lettered(world)
    assert replay(world, id_) == "replayed"
    world.write("m2")
    world.work()
    assert (world.posts()[-1], world.status("m1"), world.status("m2")[0]) == ("answer 1", REPLIED, "waiting")
    world.work()
    assert (world.inputs(), world.status("m2")) == (["text of m1", "text of m2"], REPLIED)


def test_a_message_that_comes_while_a_replay_is_asked_does_not_make_it_stale(world: World) -> None:
    """This holds for a replay without a saved answer too: its turn never contains the newer message."""
    assert replay(world, dead_lettered(world, COMPLETE)) == "replayed"
    world.meanwhile = lambda: world.write("m2")
    world.work()
    assert (world.posts(), world.status("m1"), world.status("m2")[0]) == (["answer 2"], REPLIED, "waiting")


def test_a_replay_may_die_again(world: World) -> None:
    """It is the same dead letter with the same id, and may be replayed again."""
    id_ = dead_lettered(world)
    for _ in range(2):
        assert replay(world, id_) == "replayed"
        world.refusing[POST] = 400
        world.work()
        assert (world.dead_letter(), world.status()) == (id_, DEAD)
        del world.refusing[POST]
    assert replay(world, id_) == "replayed"
    world.work()
    assert (world.status(), len(world.inputs())) == (REPLIED, 1)


# Holds


@pytest.mark.parametrize(("path", "side"), [(POST, "ghl"), (COMPLETE, "provider")])
def test_three_refused_logins_put_a_location_on_hold(world: World, path: str, side: str) -> None:
    """The first two are dead letters, the third puts the location on hold, and all three are answered when the hold is lifted."""
    locations = locations_of(world.redis)
    world.refusing[path] = 401
    for id_ in ("m1", "m2", "m3"):
        kept = locations.get(HERE)
        assert kept
        assert not kept.hold_since_ms
        # No dead letter is superseded here: each came by a line of its own.
        world.write(id_, conversation_provider_id=id_)
        world.work()
        assert world.status(id_) == DEAD
    kept = locations.get(HERE)
    assert kept
    assert (bool(kept.hold_since_ms), kept.hold_why) == (True, side)
    world.write("m4")
    assert not lanes_of(world.redis).claim("w", slots=9, alive_seconds=9, most=9).lanes
    world.refusing.clear()
    assert locations.lift_hold(HERE, why="test") == 3
    for _ in range(4):
        world.work()
    assert {world.status(f"m{number}") for number in (1, 2, 3, 4)} == {REPLIED}


def test_a_success_between_refusals_resets_them(world: World) -> None:
    """Only three refusals in a row cause a hold."""
    for number in range(6):
        world.refusing = {} if number % 3 == 2 else {POST: 401}
        world.write(f"m{number}")
        world.work()
    kept = locations_of(world.redis).get(HERE)
    assert kept
    assert not kept.hold_since_ms


def test_server_faults_put_nothing_on_hold(world: World) -> None:
    """Dead letters after 5xx answers cause no hold, because they say nothing about a login."""
    world.refusing[COMPLETE] = 500
    for number in range(5):
        world.write(f"m{number}", conversation_provider_id=str(number))
        world.work(delays=())
        assert world.status(f"m{number}") == DEAD
    kept = locations_of(world.redis).get(HERE)
    assert kept
    assert (kept.hold_since_ms, kept.hold_why) == (0, "")


def test_held_time_does_not_age(world: World) -> None:
    """A message that waited in a hold for longer than its maximum age is answered after it."""
    world.keep(max_age_seconds=600)
    world.redis.hset(key("location", HERE), mapping={"hold": now_ms(world.redis), "hold_why": "ghl"})
    world.redis.sadd(key("holds"), HERE)
    world.write(date_added_ms=now_ms(world.redis) - 1_003_000)
    pass_time(world.redis, 1_002)
    assert locations_of(world.redis).lift_hold(HERE, why="test") == 0
    world.work()
    assert world.status() == REPLIED


def test_closed_time_does_not_age(world: World) -> None:
    """A message from ten hours ago is too old, unless the location was closed in between."""
    now = now_ms(world.redis)
    ten_hours_ago = now - 10 * 3600 * 1000
    world.write("m1", date_added_ms=ten_hours_ago)
    world.work()
    begin, end = (time.strftime("%H:%M", time.gmtime(now / 1000 + at * 3600)) for at in (-1, 1))
    world.keep(business_hours=(f"daily {begin}-{end}",))
    world.write("m2", date_added_ms=ten_hours_ago)
    world.work()
    assert (world.status("m1"), world.status("m2")) == (("skipped", "too_old"), REPLIED)


# What else a dead letter does


def rites(world: World, *, error: int = 400, path: str = POST) -> None:
    world.keep(dead_letter_tag="needs_human", failure_message="Somebody will call you.")
    world.write()
    world.refusing[path] = error


def test_a_dead_letter_calls_staff_and_tells_the_contact_once(world: World) -> None:
    """The tag is set and the message posted before the dead letter is written; a second failure repeats no message."""
    rites(world, path=COMPLETE)
    world.work()
    assert (world.tags(), world.posts(), world.status()) == ([["needs_human"]], ["Somebody will call you."], DEAD)
    assert world.steps()[-3:] == ["sending", "sent", "dead"]
    assert replay(world, world.dead_letter()) == "replayed"
    world.work()
    assert (len(world.posts()), world.status()) == (1, DEAD)
    world.refusing.clear()
    assert replay(world, world.dead_letter()) == "replayed"
    world.work()
    assert (world.posts()[1:], world.status()) == (["answer 3"], REPLIED)


@pytest.mark.parametrize("refused", [{TAGS: 500}, {POST: 400}, {POST: 500}, {TAGS: 403, POST: 429}])
def test_rites_that_fail_bury_all_the_same(world: World, refused: dict[str, int]) -> None:
    """The dead letter is written even if its tag or its message fails."""
    rites(world, path=COMPLETE)
    world.refusing |= refused
    world.work()
    assert world.status() == DEAD
    assert (bool(world.tags()), bool(world.posts())) == (True, True)


def test_a_refused_ghl_login_has_no_rites(world: World) -> None:
    """With a refused GHL login neither tag nor message is tried, because both would fail."""
    rites(world, error=401)
    world.work()
    assert (world.tags(), len(world.posts()), world.status()) == ([], 1, DEAD)


def test_no_failure_message_after_an_unknown_outcome(world: World) -> None:
    """The reply may be in GHL, so an apology would be a second answer; staff is notified anyway."""
    rites(world, error=500)
    world.work(delays=())
    pass_time(world.redis, 2)
    world.listed = [world.row("something else", "r9")]
    if world.status() != DEAD:
        world.work(delays=(), readback=(0.0,))
    assert (world.status(), world.posts(), world.tags()) == (DEAD, ["answer 1"], [["needs_human"]])


def test_no_failure_message_when_the_conversation_could_not_be_read(world: World) -> None:
    """A turn that fails for another reason while a send is unresolved has an unknown outcome too."""
    rites(world, error=500)
    world.work(readback=(0.0,))
    world.refusing = {LIST: 400}
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (world.status(), world.posts()) == (DEAD, ["answer 1"])


def test_a_failure_message_asks_the_guards(world: World) -> None:
    """Where no reply may be posted, no failure message is posted either."""
    rites(world, path=COMPLETE)
    world.meanwhile = lambda: world.keep(mode="off")
    world.work()
    assert (world.posts(), world.status()) == ([], DEAD)


def test_what_waits_for_the_end_of_a_hold_tells_nobody_of_a_death(world: World) -> None:
    """A turn in progress when the location goes on hold waits, without a tag and a message."""
    rites(world, path=COMPLETE, error=401)

    def hold() -> None:
        world.redis.hset(key("location", HERE), mapping={"hold": now_ms(world.redis), "hold_why": "provider"})

    world.meanwhile = hold
    world.work()
    assert (world.tags(), world.posts(), world.status()) == ([], [], ("waiting", ""))
    assert due_ms(world.redis) is not None
    assert not world.redis.exists(key("dead"))


def test_a_delivery_that_can_neither_be_found_nor_excluded_is_asked_for_once_more(world: World) -> None:
    """A provider that may deliver, without a readable answer and with an endless conversation, is asked only twice."""
    world.keep(assistable={"delivery": "auto"})
    world.endless, world.listed = True, [world.row("still here?", "r1", direction="inbound")]
    world.refusing[COMPLETE] = 500
    world.write()
    for _ in range(6):
        if world.status()[0] == "dead":
            break
        world.work(readback=(0.0,))
        pass_time(world.redis, 2)
    assert (world.status()[0], len(world.inputs()), world.posts()) == ("dead", 2, [])
