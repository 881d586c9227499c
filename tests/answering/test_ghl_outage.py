"""GHL's outages: how they are noticed, which turns wait without an attempt, and how work continues afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge import flow
from bridge.cli.redis_server import free_port
from bridge.ghl.access import alone
from bridge.ghl.client import GHL
from bridge.model import Lane
from bridge.store.limits.circuits import FAULTS_UNTIL_OPEN, GHL_FAULTS_UNTIL_OPEN, GHL_POSTS, GHL_READS
from bridge.store.redis.connection import now_ms
from bridge.wire.calls import Wire
from tests.keys import key
from tests.stored import HERE, accept, claim, lanes_of, message, pass_time
from tests.world import CONTACT, LIST, POST, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

DELAYS = (1.0, 1.0, 1.0, 1.0)


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def work_due(world: World, ghl: GHL | None = None) -> None:
    """Work on every lane that is due, once."""
    services = world.services(delays=DELAYS)
    for lane in claim(lanes_of(world.redis)):
        flow.answer(lane, replace(services, ghl=ghl) if ghl else services)


def attempts(redis: Redis, contact: str) -> int:
    return int(redis.hget(key("lane", str(Lane.parse(f"{HERE}:{contact}"))), "attempts") or 0)


def write(world: World, *contacts: str) -> None:
    """Let contacts write; GHL lists what they wrote."""
    now = now_ms(world.redis)
    accept(world.redis, *(message(f"m-{each}", each, date_added_ms=now) for each in contacts))
    rows = [{"id": f"m-{each}", "direction": "inbound", "body": "hello", "messageType": "TYPE_SMS"} for each in contacts]
    world.written = [*({**row, "dateAdded": now} for row in rows), *world.written]


def status(world: World, contact: str) -> str | None:
    return world.status(f"m-{contact}")[0]


def refuse_posts(world: World, status: int, *, rounds: int) -> None:
    world.refusing[POST] = status
    for _ in range(rounds):
        work_due(world)
        pass_time(world.redis, 2)


def test_one_conversation_finds_out_that_nothing_answers_at_ghl(world: World) -> None:
    """After three failures in a row the turn waits, and its number of attempts stays."""
    world.keep(contact_lookup=True)
    world.refusing[CONTACT] = 503
    world.write()
    for _ in range(GHL_FAULTS_UNTIL_OPEN):
        world.work(delays=DELAYS)
        pass_time(world.redis, 2)
    assert list(world.circuits.down()) == [GHL_READS]
    assert attempts(world.redis, "contact") == GHL_FAULTS_UNTIL_OPEN - 1
    assert world.events()[-1].details["why"] == "GHL is down: the turn is tried again as soon as GHL answers"
    asked = len(world.asked(CONTACT))
    assert claim(lanes_of(world.redis)) == ()
    del world.refusing[CONTACT]
    pass_time(world.redis, 4)
    world.work(delays=DELAYS)
    assert (world.status()[0], len(world.posts()), len(world.asked(CONTACT))) == ("replied", 1, asked + 1)
    assert world.circuits.down() == {}


@pytest.mark.parametrize("status", [400, 401, 404, 408, 422, 429])
def test_what_one_location_or_request_may_cause_opens_nothing(world: World, status: int) -> None:
    """A refusal opens no circuit, because GHL has answered."""
    write(world, *(f"c{number}" for number in range(2 * FAULTS_UNTIL_OPEN)))
    refuse_posts(world, status, rounds=2)
    assert world.circuits.down() == {}


def test_an_own_fault_of_ghls_that_one_conversation_meets_opens_nothing(world: World) -> None:
    """A 500 may be caused by one conversation; three conversations with one open the circuit."""
    world.refusing[POST] = 500
    write(world, "c1")
    refuse_posts(world, 500, rounds=3)
    assert world.circuits.down() == {}
    write(world, *(f"d{number}" for number in range(FAULTS_UNTIL_OPEN)))
    work_due(world)
    assert list(world.circuits.down()) == [GHL_POSTS]


def test_an_answer_in_between_begins_the_count_anew(world: World) -> None:
    """A successful post shows that GHL accepts posts, however many failed before."""
    for number in range(2 * GHL_FAULTS_UNTIL_OPEN):
        write(world, f"c{number}")
        world.refusing[POST] = 503
        work_due(world)
        del world.refusing[POST]
        write(world, f"d{number}")
        work_due(world)
        pass_time(world.redis, 2)
    assert world.circuits.down() == {}


def test_no_connection_is_found_out_and_marks_nothing_as_posted(world: World) -> None:
    """Without a connection nothing was sent, so no outcome is unknown."""
    write(world, "c1", "c2", "c3")
    work_due(world, GHL(Wire(), f"http://127.0.0.1:{free_port()}", sleep=lambda _: None))
    assert set(world.circuits.down()) == {GHL_READS, GHL_POSTS}
    assert world.posts() == []
    for _ in range(3):
        pass_time(world.redis, 4)
        work_due(world)
    assert world.circuits.down() == {}
    assert sorted(world.posts()) == ["answer 1", "answer 2", "answer 3"]


def test_posts_that_fail_are_probed_by_posts(world: World) -> None:
    """Successful reads don't close the circuit of posts; a successful post does, and one whose echo is found."""
    write(world, "c1", "c2", "c3", "c4")
    world.refusing[POST] = 503
    work_due(world)
    assert list(world.circuits.down()) == [GHL_POSTS]
    posts = len(world.posts())
    pass_time(world.redis, 4)
    work_due(world)
    assert len(world.posts()) == posts + 1
    assert any(path.endswith("/messages") for path, _ in world.calls)
    assert list(world.circuits.down()) == [GHL_POSTS]
    del world.refusing[POST]
    pass_time(world.redis, 4)
    for _ in range(3):
        work_due(world)
    assert world.circuits.down() == {}
    assert [status(world, f"c{number}") for number in range(1, 5)] == ["replied"] * 4
    assert [attempts(world.redis, f"c{number}") for number in range(1, 5)] == [0] * 4


def test_whoever_writes_during_an_outage_waits_at_once(world: World) -> None:
    """No completion is requested while it can't be posted, and GHL is not read."""
    write(world, "c1", "c2", "c3")
    world.refusing[POST] = 503
    work_due(world)
    bought, posted = len(world.inputs()), len(world.posts())
    write(world, "late")
    work_due(world)
    assert (len(world.inputs()), len(world.posts())) == (bought, posted)
    assert status(world, "late") == "retrying"


def test_what_grows_too_old_ends_with_that_reason(world: World) -> None:
    """After an outage, an answer is not sent if its message is older than `max_age_seconds`."""
    world.keep(max_age_seconds=100)
    world.write(date_added_ms=now_ms(world.redis) - 50_000)
    world.redis.hset(key("circuit", GHL_POSTS), mapping={"since": 1, "probe_at": now_ms(world.redis) + 10**9, "every": 1000})
    world.work()
    assert world.status()[0] == "retrying"
    world.keep(max_age_seconds=10)
    pass_time(world.redis, 601)
    world.work()
    assert world.status() == ("skipped", "too_old")


def test_somebody_who_makes_a_request_or_two_tells_nobody(world: World) -> None:
    """Only requests of turns count for the circuit, not those of `doctor` and of operators."""
    world.refusing[CONTACT] = 503
    ghl = GHL(Wire(), world.url, sleep=lambda _: None)
    for _ in range(2 * FAULTS_UNTIL_OPEN):
        with pytest.raises(Exception, match="reading failed"):
            ghl.contact(message("m").contact_id, token=alone("pit"), seconds=1)
    assert world.circuits.down() == {}


def test_a_late_look_is_also_those_that_were_due_meanwhile(world: World) -> None:
    """After an outage one look proves the same as three, which leaves more of the rate limit for answers."""
    readback = (1.0, 2.0, 3.0)
    world.write()
    world.refusing[POST] = 500
    world.work(delays=DELAYS, readback=readback)
    del world.refusing[POST]
    key_of_turn = key("ledger", str(world.redis.hget(key("lane", "here:contact"), "turn")))
    entry = json.loads(str(world.redis.hget(key_of_turn, "0")))
    world.redis.hset(key_of_turn, "0", json.dumps({**entry, "at_ms": entry["at_ms"] - 60_000}))
    pass_time(world.redis, 60)
    looks = len(world.asked(LIST))
    world.work(delays=DELAYS, readback=readback)
    assert (len(world.asked(LIST)) - looks, len(world.posts()), world.status()[0]) == (1, 2, "replied")
