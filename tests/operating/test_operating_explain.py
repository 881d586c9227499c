"""`explain`: why there was a reply or none, and the answer for an unknown id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotKnown
from bridge.metrics import WEBHOOKS, Tally
from bridge.model import Completion, Reason
from bridge.operating.explain import ExplainQuery, explain
from bridge.operating.sentences import SENTENCES, in_words, sentence
from bridge.store.figures.counts import Counts
from tests.keys import key
from tests.stored import HERE, accept, keep, lanes_of, message, take

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations
    from bridge.operating.services import AdminServices
    from tests.world import World

SKIPPED = {
    Reason.CHANNEL_OFF: {"channels": ("WhatsApp",)},
    Reason.LOCATION_PAUSED: {"mode": "off"},
    Reason.OFF_TAG: {"contact_lookup": True},
    Reason.MISSING_TAG: {"required_tags": ("vip",)},
}


@pytest.mark.parametrize(("reason", "settings"), SKIPPED.items(), ids=SKIPPED)
def test_a_skip_tells_its_rule_and_what_the_rule_looked_at(
    world: World, perform: Operations, reason: Reason, settings: dict[str, object]
) -> None:
    """The document and the text have both, for each of the ids."""
    world.keep(**settings)
    world.contact = {"tags": ["ai_off"]} if reason is Reason.OFF_TAG else {}
    world.write()
    world.work()

    for id_ in ("m1", "contact", "conversation-contact"):
        told = perform(explain, ExplainQuery(id_))
        (outcome,) = told.messages
        assert (outcome.status, outcome.reason) == ("skipped", reason)
        assert outcome.facts
        assert any(reason in line and outcome.facts in line for line in in_words(told))


def test_a_reply_is_explained_by_its_own_id(world: World, perform: Operations) -> None:
    """The id of a reply in GHL leads to the message that it answered."""
    world.write()
    world.work()

    told = perform(explain, ExplainQuery("r1"))

    assert told.messages[0].reply_message_ids == ("r1",)
    assert told.messages[0].status == "replied"


def test_an_unknown_id_tells_what_came_last(redis: Redis, perform: Operations) -> None:
    """It shows the newest webhook of a location, and the newest refused call."""
    keep(redis, HERE, "quiet")
    accept(redis, message("m1"))
    tally = Tally()
    tally.count(WEBHOOKS, "unauthorized", "")
    Counts(redis).add(tally)

    with pytest.raises(NotKnown) as error:
        perform(explain, ExplainQuery("nobody"))

    said = str(error.value)
    assert "for location here" in said
    assert "quiet" not in said
    assert "refused webhook arrived" in said
    assert said.endswith("unauthorized.")


def test_of_a_location_it_tells_that_ones_last_webhook(redis: Redis, perform: Operations) -> None:
    """A location's id is no message's, but it answers whether webhooks arrive at all."""
    keep(redis, HERE, "there")
    accept(redis, message("m1"), message("m2", location="there"))

    with pytest.raises(NotKnown, match=r"for location there \(") as error:
        perform(explain, ExplainQuery("there"))
    assert "location here" not in str(error.value)


def test_where_nothing_ever_came_that_is_said(redis: Redis, perform: Operations) -> None:
    """The output says that there was neither a webhook nor a refused call."""
    keep(redis)

    with pytest.raises(NotKnown, match=r"No webhook of a known location has arrived yet; no webhook was refused"):
        perform(explain, ExplainQuery("nobody"))


def test_what_is_kept_of_a_refused_call_is_bounded_and_expires(redis: Redis, admin_services: AdminServices) -> None:
    """Only the newest one's time and code are stored; other answers are not."""
    tally = Tally()
    for answer in ("unauthorized", "too_large", "accepted", "ignored"):
        for _ in range(100):
            tally.count(WEBHOOKS, answer, "")
        Counts(redis).add(tally)

    refused = admin_services.feeds.last_refused()

    assert refused is not None
    assert refused[1] == "too_large"
    assert redis.hlen(key("refused")) == 2
    assert redis.pttl(key("refused")) > 0


def test_a_silence_is_explained(world: World, perform: Operations) -> None:
    """The document has its reason, and the text its meaning."""
    world.answer = {"run": {"response": {"messages": [{"role": "assistant", "content": "", "refusal": "I can't"}]}}}
    world.write()
    world.work()

    told = perform(explain, ExplainQuery("m1"))

    assert (told.messages[0].status, told.messages[0].reason) == ("no_reply", "refusal")
    assert [event["reason"] for event in told.events if event["step"] == "no_reply"] == ["refusal"]
    assert "  message m1: no_reply: refusal (The model refused to answer.)" in in_words(told)
    assert in_words(told)[-1].endswith("the provider gave no reply: refusal. The model refused to answer.")


def test_a_silence_of_an_older_version_is_told_without_a_reason() -> None:
    """Older versions stored no reason."""
    assert sentence({"at": "", "step": "no_reply", "message_ids": ["m1"]}) == "the provider gave no reply"


@pytest.mark.parametrize("step", SENTENCES)
def test_a_sentence_copes_with_what_is_missing(step: str) -> None:
    """The timeline of an older version can be shown too."""
    assert sentence({"at": "", "step": step})


def test_what_was_waited_out_is_told(redis: Redis, perform: Operations) -> None:
    """An answer after two attempts says why; a shortened part says so."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message())
    turn = take(lanes)
    lanes.answered(turn, [turn.messages[0].id], Completion(text="hi", waited_out=("assistable: HTTP 429",)), at_ms=1, seconds=2.0)
    assert [
        sentence(event) for event in perform(explain, ExplainQuery(turn.messages[0].id)).events if event["step"] == "answered"
    ] == ["2 characters after 2.0 s; quick retries before: assistable: HTTP 429"]
    assert sentence({"step": "sending", "part": 0, "type": "SMS", "shortened": True}) == "part 1 to GHL as SMS; shortened"


def test_an_answer_tells_how_its_service_came_to_it(world: World, perform: Operations) -> None:
    """The step `answered` has evidence, in the document and in the text; a warning is in its sentence."""
    match = {"id": "k1", "score": 0.87, "metadata": {"text": "secret words"}}
    other = {"conversationId": "another"}
    world.completion = {"knowledge_base": {"matches": [match], "usage": {"readUnits": 6}}, "message": other}
    world.write()
    world.work()

    told = perform(explain, ExplainQuery("m1"))

    [answered] = [event for event in told.events if event["step"] == "answered"]
    evidence = answered["evidence"]
    assert evidence.pop("milliseconds") >= 0
    expected = {"provider": "assistable", "warnings": ["other_conversation"], "read_units": 6, "knowledge": [["k1", 0.87]]}
    assert evidence == expected
    assert "the answer names a different conversation" in answered["sentence"]
    lines = [line.strip() for line in in_words(told)]
    assert {"provider: assistable", "read units: 6", "knowledge: k1 0.87"} <= set(lines)
    assert not any("secret" in line for line in lines)
