"""A turn at each completion service: its question, its session, and who delivers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bridge.completion.providers import Providers
from bridge.model import ContactId, Lane, Turn
from bridge.settings import from_environment
from bridge.store.limits.circuits import FAULTS_UNTIL_OPEN
from bridge.store.redis.connection import now_ms
from bridge.wire.backoff import TRIES
from bridge.wire.calls import Wire
from tests.keys import key
from tests.stored import HERE, LANE, NOTHING_KNOWN, RETENTION_MS, claim, lanes_of, locations_of, pass_question, pass_time
from tests.world import AGENCII, COMPLETE, CONTACT, LIST, SEARCH, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


REPLIED = ("replied", "")


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def test_a_chat_is_continued_by_the_next_turn(world: World) -> None:
    """Agencii's chat id outlives the turn, and expires with the lane's records."""
    world.keep(provider="agencii")
    for id_ in ("m1", "m2"):
        world.write(id_)
        world.work()
        assert world.status(id_) == REPLIED
    assert [asked["chatId"] for asked in world.asked(AGENCII)] == [None, "chat1"]
    assert {asked["aliasChatId"] for asked in world.asked(AGENCII)} == {f"ghl:here:conversation-{LANE.contact_id}"}
    assert 0 < world.redis.pttl(key("lane", str(LANE))) <= RETENTION_MS


def test_instructions_name_the_contact_as_ghl_knows_it(world: World) -> None:
    """The name comes from the look-up that the guards need anyway; without a look-up it is empty."""
    world.keep(provider="agencii", contact_lookup=True, agencii={"additional_instructions": "User name: {contact_name}"})
    world.contact = {"firstName": "John", "lastName": "Smith\nIgnore"}
    world.write()
    world.work()
    world.keep(provider="agencii", agencii={"additional_instructions": "User name: {contact_name}"})
    world.write("m2")
    world.work()
    assert [asked["additionalInstructions"] for asked in world.asked(AGENCII)] == ["User name: John Smith Ignore", "User name: "]
    assert len(world.asked(CONTACT)) == 1


@pytest.mark.parametrize("listed", [True, False])
def test_sent_is_settled_by_looking(world: World, *, listed: bool) -> None:
    """After `status: sent` without an id, a text found in the conversation is the reply; otherwise the bridge posts it."""
    world.keep(assistable={"delivery": "auto"})
    world.answer = {"success": True, "data": {"response": "answer 1", "status": "sent"}}
    world.write()
    world.work(readback=(0.3,))
    assert world.posts() == []
    world.listed = [world.row("answer 1", "g1")] if listed else []
    pass_time(world.redis, 2)
    time.sleep(0.3)
    world.work(readback=(0.3,))
    assert (world.status()[0], world.posts()) == (("delivered_by_provider", []) if listed else ("replied", ["answer 1"]))


@pytest.mark.parametrize(
    "row",
    [{"source": "workflow"}, {"source": "campaign"}, {"messageType": "TYPE_ACTIVITY_APPOINTMENT"}, {"userId": "staff"}],
    ids=["reminder", "campaign", "activity", "person"],
)
def test_what_goes_out_by_chance_is_not_taken_for_the_answer(world: World, row: dict[str, Any]) -> None:
    """An automation's message or a booking during an unresolved question is not the reply: the provider is asked again."""
    world.keep(assistable={"delivery": "auto"}, takeover_seconds=0)
    world.refusing[COMPLETE] = 500
    world.write()
    world.work(readback=(0.0,))
    world.refusing.clear()
    world.listed = [world.row("Your appointment is tomorrow at nine", "g1", **row)]
    pass_time(world.redis, 2)
    time.sleep(0.02)
    world.work(readback=(0.0,))
    assert (world.status(), len(world.posts())) == (REPLIED, 1)


def test_claims_that_turn_out_true_make_the_provider_known(world: World) -> None:
    """After three true claims in a row a provider counts as delivering by itself; a false claim restarts the count."""
    world.keep(assistable={"delivery": "auto"})
    counts = []
    for number, listed in enumerate([True, True, True, False]):
        world.completion = {"output": f"text {number}", "message": {"messageId": f"g{number}"}}
        world.write(f"m{number}")
        world.work(readback=(0.3,))
        world.listed = [*([world.row(f"text {number}", f"g{number}")] if listed else []), *world.listed]
        pass_time(world.redis, 2)
        time.sleep(0.3)
        world.work(readback=(0.3,))
        kept = locations_of(world.redis).get(HERE)
        assert kept
        counts.append((world.status(f"m{number}")[0], kept.seen))
    assert counts == [*(("delivered_by_provider", number) for number in (1, 2, 3)), ("replied", 0)]


def test_a_claim_is_not_settled_again_when_the_post_waits(world: World) -> None:
    """If the rate limit delays the post, GHL is not read again for the delivery that the provider claimed."""
    world.keep(assistable={"delivery": "auto"}, takeover_seconds=0, history_messages=0)
    world.completion = {"message": {"messageId": "g1"}}

    def use_up() -> None:
        world.redis.zadd(key("budget", HERE), {f"request-{number}": now_ms(world.redis) for number in range(100)})

    world.during[SEARCH, 1] = use_up
    world.write()
    world.work(readback=(0.3,))
    pass_time(world.redis, 2)
    time.sleep(0.3)
    world.work(readback=(0.3,))
    assert (world.status()[0], world.posts(), len(world.asked(LIST))) == ("waiting", [], 1)

    world.redis.delete(key("budget", HERE), key("busy", HERE))
    pass_time(world.redis, 20)
    world.work(readback=(0.3,))
    assert (world.status(), len(world.posts()), len(world.asked(LIST))) == (REPLIED, 1, 1)


def test_a_delivery_of_the_bridges_own_is_not_looked_for(world: World) -> None:
    """With `delivery = bridge` a claim of delivery has no effect."""
    world.answer = {"success": True, "data": {"response": "answer 1", "status": "sent"}}
    world.write()
    world.work(readback=(60.0,))
    assert (world.status(), world.posts()) == (REPLIED, ["answer 1"])


# Failover


def shut(world: World, provider: str) -> str:
    """Let other conversations open the circuit of the location's provider; returns the circuit."""
    kept = locations_of(world.redis).get(HERE)
    assert kept
    circuit = Providers(Wire(), from_environment({})).circuit(kept.location, provider)
    for number in range(FAULTS_UNTIL_OPEN):
        other = Lane(HERE, ContactId(f"other{number}"))
        turn = Turn(lane=other, id="x", token=f"t{number}", leased_at_ms=1, leased_at=1.0, situation=NOTHING_KNOWN, messages=())
        is_open = world.circuits.fault(circuit, turn, name=provider, asked_at_ms=now_ms(world.redis))
    assert is_open
    return circuit


def retrying(world: World) -> dict[str, Any]:
    """The timeline's event of the last wait."""
    *_, told = [event.details for event in world.events() if event.step == "retrying"]
    return told


@pytest.mark.parametrize("status", [500, 503, 402, 429])
def test_the_fallback_answers_when_the_first_is_out_of_tries(world: World, status: int) -> None:
    """The fallback answers in the same attempt, after all calls to the provider; the timeline names both."""
    world.keep(fallback_provider="agencii")
    world.refusing[COMPLETE] = status
    world.write()
    world.work()
    assert (world.status(), world.posts()) == (REPLIED, ["agencii's answer 1"])
    assert (len(world.asked(COMPLETE)), len(world.asked(AGENCII))) == (TRIES, 1)
    assert world.steps()[1:6] == ["asking", "unanswered", "asking", "answered", "sending"]


def test_the_fallback_is_not_asked_while_the_first_answers(world: World) -> None:
    """The fallback is not asked if the provider answers, even if it gives no reply or refuses."""
    world.keep(fallback_provider="agencii")
    world.write("m1")
    world.work()
    world.answer = {"run": {"output": ""}}
    world.write("m2")
    world.work()
    world.refusing[COMPLETE] = 400
    world.write("m3")
    world.work()
    assert [world.status(id_)[0] for id_ in ("m1", "m2", "m3")] == ["replied", "no_reply", "dead"]
    assert world.asked(AGENCII) == []


def test_when_both_fail_the_first_is_asked_first_again(world: World) -> None:
    """When both fail, this counts as one attempt, and the next one begins with the provider."""
    world.keep(fallback_provider="agencii")
    world.refusing |= {COMPLETE: 500, AGENCII: 503}
    world.write()
    world.work(delays=(1.0,))
    assert (world.status()[0], retrying(world)["failed_attempts"]) == ("retrying", 1)
    del world.refusing[COMPLETE]
    pass_time(world.redis, 2)
    world.work(delays=(1.0,))
    assert (world.posts(), len(world.asked(AGENCII))) == ([f"answer {TRIES + 1}"], TRIES)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_fallback_that_refuses_kills_nothing(world: World, status: int) -> None:
    """The turn is retried, and the refusal does not count as a refused login of the location's provider."""
    world.keep(fallback_provider="agencii")
    world.refusing |= {COMPLETE: 500, AGENCII: status}
    world.write()
    world.work()
    assert (world.status()[0], retrying(world)["failed_attempts"]) == ("retrying", 1)
    assert not world.redis.exists(key("refusals", HERE, "provider"))
    del world.refusing[COMPLETE]
    pass_time(world.redis, 2)
    world.work()
    assert world.status() == REPLIED


def test_a_first_that_is_down_is_not_asked(world: World) -> None:
    """If the provider's circuit is open, the fallback answers at once."""
    world.keep(fallback_provider="agencii")
    shut(world, "assistable")
    world.write()
    world.work()
    assert (world.status(), world.asked(COMPLETE), len(world.asked(AGENCII))) == (REPLIED, [], 1)


def test_without_a_fallback_a_turn_waits_for_the_provider_and_spends_no_try(world: World) -> None:
    """The turn waits as long as the circuit is open; then it is answered at once, with the messages that arrived meanwhile."""
    circuit = shut(world, "assistable")
    world.write()
    world.work()
    world.write("m2")
    assert (world.status()[0], world.asked(COMPLETE)) == ("retrying", [])
    assert (retrying(world)["failed_attempts"], claim(lanes_of(world.redis))) == (0, ())
    world.circuits.passed(circuit, LANE)
    world.work()
    assert (world.inputs(), world.status(), world.status("m2")) == (["text of m1\ntext of m2"], REPLIED, REPLIED)


def test_a_probe_is_one_call_and_no_try(world: World) -> None:
    """A probe that fails lets the turn wait on; one that succeeds answers it. Neither counts as an attempt."""
    shut(world, "assistable")
    world.refusing[COMPLETE] = 500
    world.write()
    world.work(delays=(1.0,))
    for number in range(1, 9):
        pass_time(world.redis, 10)
        world.work(delays=(1.0,))
        assert (len(world.asked(COMPLETE)), retrying(world)["failed_attempts"]) == (number, 0)
    del world.refusing[COMPLETE]
    pass_time(world.redis, 10)
    world.work(delays=(1.0,))
    assert (world.status(), len(world.posts()), world.circuits.down()) == (REPLIED, 1, {})


def test_when_both_are_down_the_turn_waits_for_either(world: World) -> None:
    """No provider is called; the first one that recovers answers."""
    world.keep(fallback_provider="agencii")
    shut(world, "assistable")
    circuit = shut(world, "agencii")
    world.write()
    world.work()
    world.circuits.passed(circuit, LANE)
    world.work()
    assert (world.status(), world.asked(COMPLETE), len(world.asked(AGENCII))) == (REPLIED, [], 1)


def test_a_fault_of_the_fallback_while_the_first_is_down_spends_no_try(world: World) -> None:
    """The turn is retried after the usual wait, or when the provider recovers."""
    world.keep(fallback_provider="agencii")
    shut(world, "assistable")
    world.refusing[AGENCII] = 500
    world.write()
    for _ in range(3):
        world.work(delays=(1.0,))
        assert (retrying(world)["failed_attempts"], retrying(world)["wait_seconds"]) == (0, 1.0)
        pass_time(world.redis, 2)
    assert world.asked(COMPLETE) == []


def test_what_spends_no_try_waits_as_long_as_one_that_does(world: World) -> None:
    """This holds for a fallback that asks for an immediate retry; otherwise it would be called without end."""
    world.keep(fallback_provider="agencii")
    shut(world, "assistable")
    world.refusing[AGENCII], world.retry_after = 429, "0"
    world.write()
    world.work(delays=(1.0,))
    assert (retrying(world)["failed_attempts"], retrying(world)["wait_seconds"]) == (0, 1.0)


def test_a_lonely_conversation_runs_out_of_tries(world: World) -> None:
    """A failure in one conversation does not show that the provider is down, so it ends in a dead letter."""
    world.refusing[COMPLETE] = 500
    world.write()
    for _ in range(8):
        if world.status()[0] == "dead":
            break
        world.work()
        pass_time(world.redis, 2)
    assert (world.status(), len(world.asked(COMPLETE))) == (("dead", ""), 5 * TRIES)


def test_a_silence_is_an_answer_of_a_provider_that_is_well(world: World) -> None:
    """No reply, reported by a gateway's guardrail with its status, ends the question and closes a circuit like any answer."""
    circuit = shut(world, "assistable")
    world.refusing[COMPLETE] = 446
    world.write()
    pass_time(world.redis, 10)
    world.work()
    assert (world.status()[0], len(world.asked(COMPLETE)), world.circuits.down()) == ("no_reply", 1, {})
    assert world.redis.hget(key("circuit", circuit), "since") is None


CUT_OFF = {"run": {"output": "Our prices start at", "finishReason": "length"}}


def test_who_stands_in_answers_for_one_that_was_cut_off(world: World) -> None:
    """An answer without a complete sentence is requested once; then the fallback is asked."""
    world.keep(fallback_provider="agencii")
    world.answer = CUT_OFF
    world.write()
    world.work()
    assert (world.status(), world.posts()) == (REPLIED, ["agencii's answer 1"])
    assert (len(world.asked(COMPLETE)), len(world.asked(AGENCII))) == (1, 1)


@pytest.mark.parametrize("fallback", ["", "agencii"])
def test_one_that_was_cut_off_is_a_dead_letter_if_nobody_stands_in(world: World, fallback: str) -> None:
    """A second question would cost the same and end the same: the dead letter names the limit, and that thoughts count."""
    world.keep(fallback_provider=fallback)
    world.answer, world.refusing = CUT_OFF, {AGENCII: 500}
    world.write()
    world.work()
    assert (world.status()[0], len(world.asked(COMPLETE)), world.posts()) == ("dead", 1, [])
    [why] = [str(event.details) for event in world.events() if event.step == "dead"]
    assert all(words in why for words in ("max_tokens", "thoughts count"))


# Never both


LOST: dict[str, Any] = {"fallback_provider": "agencii", "assistable": {"delivery": "auto"}}


@pytest.mark.parametrize(
    ("listed", "status", "posts"), [(True, "delivered_by_provider", []), (False, "replied", ["agencii's answer 1"])]
)
def test_a_lost_answer_is_settled_before_the_fallback_is_asked(world: World, listed: bool, status: str, posts: list[str]) -> None:
    """The provider's delivery is looked for: if it is found, it is the reply; if it is proven absent, the fallback is asked."""
    world.keep(**LOST)
    world.refusing[COMPLETE] = 500
    world.write()
    world.work(readback=(0.0,))
    assert (world.asked(AGENCII), world.posts()) == ([], [])
    world.listed = [world.row("delivered", "g1")] if listed else []
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (world.status()[0], world.posts(), len(world.asked(COMPLETE))) == (status, posts, 1)
    assert len(world.asked(AGENCII)) == len(posts)


def test_what_can_not_be_proven_absent_is_asked_for_at_the_same_provider(world: World) -> None:
    """The same provider is asked again, because another's answer beside a delivery would be a second reply."""
    world.keep(**LOST)
    world.refusing[COMPLETE] = 500
    world.endless, world.listed = True, [world.row("hello?", "r1", direction="inbound")]
    world.write()
    for _ in range(6):
        if world.status()[0] == "dead":
            break
        world.work(readback=(0.0,))
        pass_time(world.redis, 2)
    assert (world.status()[0], len(world.asked(COMPLETE)), world.asked(AGENCII)) == ("dead", 2, [])


def test_a_provider_that_may_still_deliver_is_not_asked_again(world: World) -> None:
    """Without an answer and without a message in GHL the provider may still deliver, as long as its answer is awaited."""
    world.keep(**LOST, provider_timeout_seconds=60)
    world.files[COMPLETE], world.cut = b"", {COMPLETE}
    world.write()
    world.work(readback=(0.0,))
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (world.status()[0], world.asked(AGENCII)) == ("retrying", [])
    [waiting] = [event for event in world.events() if event.step == "retrying"][-1:]
    assert "it may still be sent" in str(waiting.details)
    world.listed = [world.row("delivered at last", "g1")]
    pass_time(world.redis, 61)
    world.work(readback=(0.0,))
    assert (world.status()[0], world.asked(AGENCII), len(world.asked(COMPLETE))) == ("delivered_by_provider", [], 1)


def test_what_did_not_come_for_so_long_is_asked_for_again(world: World) -> None:
    """When the time for an answer is over and GHL shows no delivery, the fallback is asked."""
    world.keep(**LOST)
    world.files[COMPLETE], world.cut = b"", {COMPLETE}
    world.write()
    world.work(readback=(0.0,))
    pass_time(world.redis, 2)
    pass_question(world.redis)
    world.work(readback=(0.0,))
    assert (world.status()[0], world.posts()) == ("replied", ["agencii's answer 1"])


@pytest.mark.parametrize("status", [429, 402])
def test_what_surely_delivered_nothing_needs_no_look(world: World, status: int) -> None:
    """After a refused call of a provider that may deliver, the fallback is asked at once, without reading GHL."""
    world.keep(**LOST, history_messages=0)
    world.refusing[COMPLETE] = status
    world.write()
    world.work(readback=(60.0,))
    assert (world.status(), world.posts(), world.asked(LIST)) == (REPLIED, ["agencii's answer 1"], [])


def test_the_bridge_posts_what_the_fallback_answers(world: World) -> None:
    """The bridge posts the fallback's answer, whatever `delivery` says for Assistable."""
    world.keep(fallback_provider="agencii", assistable={"delivery": "provider"})
    world.refusing[COMPLETE] = 429
    world.write()
    world.work()
    assert (world.status(), world.posts()) == (REPLIED, ["agencii's answer 1"])


def test_a_down_provider_that_may_deliver_is_settled_without_a_try(world: World) -> None:
    """If a probe's answer is lost, its delivery is looked for, and then the turn waits on."""
    world.keep(assistable={"delivery": "auto"})
    shut(world, "assistable")
    world.refusing[COMPLETE] = 500
    world.write()
    pass_time(world.redis, 10)
    world.work(readback=(0.0,))
    assert "outcome unknown" in retrying(world)["why"]
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (retrying(world)["failed_attempts"], len(world.asked(COMPLETE)), world.status()[0]) == (0, 1, "retrying")


def test_the_fallbacks_silence_on_delivery_says_nothing_of_the_first(world: World) -> None:
    """Only a provider's own answers show that it leaves the delivery to the bridge."""
    world.keep(**LOST)
    world.refusing[COMPLETE] = 429
    for number in range(4):
        world.write(f"m{number}")
        world.work()
    kept = locations_of(world.redis).get(HERE)
    assert kept
    assert (kept.unclaimed, len(world.posts())) == (0, 4)
