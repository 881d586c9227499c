"""An answer is stored before its post can begin, in as few calls as possible."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bridge import flow
from bridge.errors import AlreadySent, BudgetExhausted, Fenced, StandingChanged
from bridge.ghl.client import GHL
from bridge.model import Completion, MessageId, SendState
from bridge.store.lanes.answers import UnsavedAnswer
from bridge.store.lanes.leases import SeenOfLane
from bridge.store.redis.connection import now_ms
from bridge.wire.calls import Wire
from bridge.wire.deadline import addresses
from tests.keys import key
from tests.stored import LANE, accept, claim, lanes_of, ledger_of, locations_of, message, part, situations_of, standings_of, take
from tests.world import POST, World, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

    from bridge.model import Turn
    from bridge.store.lanes.leases import Lanes


RECORD, M1 = key("lane", str(LANE)), MessageId("m1")
ANSWER = UnsavedAnswer([M1], Completion(text="yes"), {"at_ms": 1, "seconds": 0.5, "may_deliver": True})


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def kept(redis: Redis) -> tuple[bool, list[str]]:
    """Whether the answer is stored, and which parts the ledger has."""
    answer, turn = redis.hmget(RECORD, ["answer", "turn"])
    ledger: Any = redis.hkeys(key("ledger", str(turn)))
    return bool(answer), sorted(ledger)


def scripts_run(redis: Redis) -> int:
    """How many scripts the server has run."""
    stats: dict[str, Any] = redis.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])


@pytest.mark.parametrize(("delivery", "parts"), [("bridge", ["0"]), ("auto", ["0", "ask"])])
def test_on_a_warm_connection_the_answer_is_saved_by_the_note_of_its_post(world: World, delivery: str, parts: list[str]) -> None:
    """After the look-up the connection is still open: one call writes both before the request to GHL."""
    world.keep(contact_lookup=True, history_messages=0, assistable={"delivery": delivery})
    seen: list[tuple[bool, list[str]]] = []
    counted: list[int] = []

    def look() -> None:
        seen.append(kept(world.redis))
        counted.append(scripts_run(world.redis))

    world.during[POST, 1] = look
    world.meanwhile = lambda: counted.append(scripts_run(world.redis))
    world.write()
    world.work()
    assert (world.status(), seen) == (("replied", ""), [(True, parts)])
    assert counted[1] - counted[0] == 1
    assert world.steps() == ["accepted", "asking", "answered", "sending", "sent", "replied"]


def test_an_answer_is_saved_before_a_connection_is_opened(world: World) -> None:
    """Opening a connection may take seconds, and a crash in that time would cause a second completion."""
    world.keep(history_messages=0)
    seen: list[tuple[bool, list[str]]] = []

    def resolve(host: str, port: int) -> list[str]:
        seen.append(kept(world.redis))
        return addresses(host, port)

    world.write()
    assert LANE in claim(lanes_of(world.redis))
    flow.answer(LANE, replace(world.services(), ghl=GHL(Wire(resolve=resolve), world.url)))
    assert (world.status(), seen) == (("replied", ""), [(True, [])])


def test_who_the_contact_is_goes_with_the_question(world: World) -> None:
    """A turn writes only the lease, the question, the record of its post, and its end."""
    world.keep(contact_lookup=True, history_messages=0)
    world.write()
    before = scripts_run(world.redis)
    world.work()
    # The claim and the look-up's payment are counted too.
    assert (world.status(), scripts_run(world.redis) - before) == (("replied", ""), 6)


def _newer(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    accept(redis, message("m2"))
    line = turn.messages[0].line
    newest = SeenOfLane(seen=1, line=line)
    assert not lanes.sending(turn, part(), at_ms=1, channel="SMS", revision=0, answer=ANSWER, newest=newest)


def _refused(error: type[Exception], **conditions: Any) -> Callable[[Redis, Lanes, Turn], None]:
    def send(redis: Redis, lanes: Lanes, turn: Turn) -> None:
        del redis
        with pytest.raises(error):
            lanes.sending(turn, part(), **{"at_ms": 1, "channel": "SMS", "revision": 0, "answer": ANSWER, **conditions})

    return send


def _other_settings(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    judged = situations_of(redis).read(LANE, turn.messages[0].conversation_id)
    locations_of(redis).apply([locations_of(redis).get(LANE.location_id).location])  # type: ignore[union-attr]
    _refused(StandingChanged, judged=judged)(redis, lanes, turn)


def _paused_by_its_conversation(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    redis.hset(key("location", LANE.location_id), "marketplace_at", now_ms(redis))
    judged = situations_of(redis).read(LANE, turn.messages[0].conversation_id)
    redis.set(key("paused", turn.messages[0].conversation_id), now_ms(redis))
    _refused(StandingChanged, judged=judged)(redis, lanes, turn)


def _another_reply(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    redis.hset(key("location", LANE.location_id), "marketplace_at", now_ms(redis))
    judged = situations_of(redis).read(LANE, turn.messages[0].conversation_id)
    redis.zadd(key("replies", str(LANE)), {"another": now_ms(redis)})
    _refused(StandingChanged, judged=judged)(redis, lanes, turn)


def _in_ghl_already(redis: Redis, lanes: Lanes, turn: Turn) -> None:
    entry = '{"state":"sent","at_ms":1,"message_ids":["g1"]}'
    redis.hset(key("ledger", turn.id), "0", entry)
    _refused(AlreadySent)(redis, lanes, turn)


NO_ROOM = {"nonce": "n", "part": 100, "waits": True, "ago": 0, "most": 1, "left": 0, "interval_ms": 10_000}
REFUSALS: dict[str, Callable[[Redis, Lanes, Turn], None]] = {
    "a newer message": _newer,
    "another standing": _refused(StandingChanged, revision=7),
    "other settings": _other_settings,
    "a pause": _paused_by_its_conversation,
    "another reply": _another_reply,
    "in GHL already": _in_ghl_already,
    "no room in the budget": _refused(BudgetExhausted, permit=NO_ROOM),
    "a lease too short for a post": _refused(Fenced, seconds=3600.0),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_an_answer_stays_saved_whatever_forbids_its_post(redis: Redis, world: World, name: str) -> None:
    """The next attempt uses it, and no record says that a part is being sent."""
    world.keep()
    lanes = lanes_of(redis)
    accept(redis, message("m1"))
    turn = take(lanes)
    REFUSALS[name](redis, lanes, turn)
    assert redis.hget(RECORD, "answer")
    entry = ledger_of(redis, turn).get("0")
    assert entry is None or entry.state is SendState.SENT


def test_what_guards_saw_is_judged_anew_if_it_holds_no_more(world: World) -> None:
    """Settings that were applied during the completion decide about an answer that is saved together with its post."""
    world.keep(contact_lookup=True, history_messages=0)
    world.meanwhile = lambda: world.keep(contact_lookup=True, history_messages=0, mode="off")
    world.write()
    world.work()
    assert (world.posts(), len(world.inputs())) == ([], 1)
    assert world.steps()[:3] == ["accepted", "asking", "answered"]


def test_an_answer_that_another_holder_would_save_is_dropped(world: World) -> None:
    """A turn that lost its lease during the completion saves nothing and posts nothing."""
    world.keep(contact_lookup=True, history_messages=0)
    world.meanwhile = lambda: world.redis.hset(RECORD, "lease", "another's")
    world.write()
    world.work()
    assert (world.posts(), kept(world.redis)[0]) == ([], False)


def test_a_standing_that_changed_while_the_service_thought_decides(world: World) -> None:
    """A pause during the completion forbids the post; the answer is stored."""
    world.keep(contact_lookup=True, history_messages=0)
    world.meanwhile = lambda: standings_of(world.redis).pause(LANE.contact_id)
    world.write()
    world.work()
    assert (world.status(), world.posts()) == (("skipped", "conversation_paused"), [])
