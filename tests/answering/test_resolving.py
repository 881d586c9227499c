"""Messages of workflow webhooks, which have no GHL id: each is answered once, however many webhooks report it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.answering.resolving import LOOK_AGAIN_SECONDS
from bridge.model import Channel, ConversationId
from bridge.policy.resolving import FRESH_MS, LISTED_MS
from bridge.store.lanes.swept import SweptMessages
from bridge.store.lanes.timelines import Timelines
from bridge.store.redis.connection import now_ms, text
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, LANE, RETENTION_MS, accept, dead_letters_of, due_ms, lanes_of, message, pass_time
from tests.world import AGENCII, COMPLETE, CONTACT, CONVERSATION, LIST, POST, SEARCH, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

REPLIED = ("replied", "")
DUPLICATE = ("skipped", "duplicate")
ENDED = ("skipped", "superseded")
GONE = (None, None)


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def hooked(world: World, id_: str = "w1", said: str = "yes", **fields: Any) -> None:
    """Let a workflow webhook arrive that names neither message nor conversation."""
    given = {"text": said, "provisional": True, "conversation_id": ConversationId(""), "message_type_string": "", **fields}
    world.write(id_, **{"date_added_ms": 0, **given})


def signed(world: World, id_: str, said: str = "yes", *, ago: float = 0.0, **fields: Any) -> str:
    """Let the marketplace event of a message from `seconds` ago arrive; returns the webhook's answer."""
    at = now_ms(world.redis) - round(ago * 1000)
    (told,) = accept(world.redis, message(id_, text=said, date_added_ms=at, **fields))
    return str(told)


def lists(world: World, id_: str, said: str = "yes", *, ago: float = 0.0, **fields: Any) -> None:
    """GHL lists a message of the contact from `seconds` ago."""
    at = now_ms(world.redis) - round(ago * 1000)
    world.listed.insert(0, world.row(said, id_, direction="inbound", source="", dateAdded=at, **fields))


def asked_about(world: World) -> list[tuple[str, str]]:
    """The newest message id and the conversation of each question to the provider."""
    return [(asked["last_message_id"], asked["conversation_id"]) for path, asked in world.calls if path == COMPLETE]


def reads(world: World) -> list[str]:
    """The kinds of reads from GHL."""
    return [path for path, _ in world.calls if path not in {COMPLETE, POST, CONTACT}]


@pytest.fixture(autouse=True)
def no_history(world: World) -> None:
    """The provider stores its own history, so GHL is not read for it."""
    world.keep(history_messages=0)


def later(world: World, seconds: float) -> None:
    """Let time pass, and run the lane's turn."""
    pass_time(world.redis, seconds)
    world.work()


def test_a_message_gets_the_id_that_ghl_gave_it(world: World) -> None:
    """The provider gets GHL's ids, the record is stored under them, and both ids can be explained."""
    lists(world, "m1")
    hooked(world)
    world.work()
    assert (world.posts(), asked_about(world), reads(world)) == (["answer 1"], [("m1", CONVERSATION)], [SEARCH, LIST])
    assert (world.status("m1"), world.status("w1")) == (REPLIED, GONE)
    assert world.steps() == ["accepted", "resolved", "asking", "answered", "sending", "sent", "replied"]
    by_ours, by_theirs = (Timelines(world.redis).find(id_) for id_ in ("w1", "m1"))
    assert by_ours
    assert by_ours == by_theirs
    assert [(one.id, one.conversation_id) for one in by_ours.messages] == [("m1", CONVERSATION)]
    assert world.redis.get(key("index", CONVERSATION)) == str(LANE)


def test_the_marketplace_event_that_comes_later_is_a_duplicate(world: World) -> None:
    """Once a workflow's message has GHL's id, the event of the same message is refused on arrival."""
    lists(world, "m1")
    hooked(world)
    world.work()
    assert signed(world, "m1") == "duplicate"
    assert due_ms(world.redis) is None


@pytest.mark.parametrize("first", ["marketplace", "workflow"])
def test_both_ways_at_once_are_one_message(world: World, first: str) -> None:
    """In one burst, in any order, there is one question under GHL's id, and the other message's reason says why it ended."""
    lists(world, "m1")
    if first == "workflow":
        hooked(world)
    assert signed(world, "m1") == "accepted"
    if first == "marketplace":
        hooked(world)
    world.work()
    assert (world.inputs(), world.posts()) == (["yes"], ["answer 1"])
    assert (world.status("m1"), world.status("w1")) == (REPLIED, DUPLICATE)
    assert world.redis.hget(key("message", HERE, "w1"), "facts") == "GHL's message m1, which was already accepted"
    assert due_ms(world.redis) is None


def test_a_webhook_after_the_reply_is_a_duplicate(world: World) -> None:
    """A workflow webhook after the reply reads only GHL's list, and the lane is free."""
    assert signed(world, "m1") == "accepted"
    lists(world, "m1")
    world.work()
    hooked(world)
    world.work()
    assert (world.inputs(), world.status("w1"), due_ms(world.redis)) == (["yes"], DUPLICATE, None)


def test_a_webhook_of_what_is_being_answered_makes_no_answer_stale(world: World) -> None:
    """If a second webhook of the same message arrives during the completion, it is recognised before the post."""
    assert signed(world, "m1") == "accepted"
    lists(world, "m1")
    world.meanwhile = lambda: hooked(world)
    world.work()
    assert (world.inputs(), world.posts(), world.status("w1")) == (["yes"], ["answer 1"], DUPLICATE)


def test_a_new_message_by_a_workflow_makes_an_answer_stale(world: World) -> None:
    """A new message is answered together with the one that was looked up."""
    lists(world, "m1")
    hooked(world)

    def meanwhile() -> None:
        lists(world, "m2", "no")
        hooked(world, "w2", "no")

    world.meanwhile = meanwhile
    world.work()
    assert (world.posts(), world.status("m2")[0]) == ([], "waiting")
    world.work()
    assert (world.inputs(), world.posts()) == (["yes", "yes\nno"], ["answer 2"])
    assert (world.status("m1"), world.status("m2")) == (REPLIED, REPLIED)


def test_what_joins_and_is_not_listed_yet_waits_for_its_turn(world: World) -> None:
    """The answer is posted, and the new message is the next turn when GHL lists it."""
    lists(world, "m1")
    hooked(world)
    world.meanwhile = lambda: hooked(world, "w2", "no")
    world.work()
    assert (world.posts(), world.status("w2")) == (["answer 1"], ("waiting", ""))
    lists(world, "m2", "no")
    world.work()
    assert (world.inputs(), world.status("m2")) == (["yes", "no"], REPLIED)


def test_two_true_texts_are_two_messages(world: World) -> None:
    """The same words a minute later are another message, with their own answer."""
    lists(world, "m1", ago=61)
    hooked(world)
    pass_time(world.redis, 60)
    world.work()
    lists(world, "m2", ago=1)
    hooked(world, "w2")
    world.work()
    assert [id_ for id_, _ in asked_about(world)] == ["m1", "m2"]
    assert (world.status("m1"), world.status("m2"), len(world.posts())) == (REPLIED, REPLIED, 2)


def test_two_true_texts_that_waited_together_keep_their_order(world: World) -> None:
    """Each gets the newest id that existed when its webhook arrived."""
    lists(world, "m1", ago=61)
    lists(world, "m2", ago=1)
    hooked(world)
    pass_time(world.redis, 60)
    hooked(world, "w2")
    world.work()
    assert (world.inputs(), world.status("m1"), world.status("m2")) == (["yes\nyes"], REPLIED, REPLIED)


def test_a_webhook_that_is_sent_again_is_a_duplicate(world: World) -> None:
    """Two webhooks of one message, together or one after the other, are one message."""
    lists(world, "m1")
    for id_ in ("w1", "w2"):
        hooked(world, id_)
    world.work()
    hooked(world, "w3")
    world.work()
    assert (world.inputs(), world.status("w2"), world.status("w3")) == (["yes"], DUPLICATE, DUPLICATE)


def test_what_ghl_does_not_list_yet_is_looked_for_again(world: World) -> None:
    """The turn waits a little, which does not count as an attempt, and the timeline says why."""
    hooked(world)
    world.work()
    assert (world.inputs(), world.status("w1")[0], world.steps()) == ([], "retrying", ["accepted", "retrying"])
    lists(world, "m1", ago=LOOK_AGAIN_SECONDS)
    later(world, LOOK_AGAIN_SECONDS)
    assert (world.posts(), world.status("m1")) == (["answer 1"], REPLIED)


@pytest.mark.parametrize("unknown", [True, False])
def test_what_ghl_never_lists_keeps_its_own_id(world: World, unknown: bool) -> None:
    """After some seconds the message is answered anyway, and the timeline says under which id."""
    world.unknown = unknown
    hooked(world)
    world.work()
    later(world, LISTED_MS / 1000)
    assert (world.posts(), world.status("w1")) == (["answer 1"], REPLIED)
    (told,) = [event for event in Timelines(world.redis).find("w1").events if event.step == "resolved"]  # type: ignore[union-attr]
    assert told.details["how"] == "GHL doesn't list it: it keeps a generated id"
    assert asked_about(world) == [("w1", "" if unknown else CONVERSATION)]


def test_the_same_words_twice_at_once_are_one_message_where_ghl_can_not_tell(world: World) -> None:
    """A webhook sent twice within seconds is one message; a minute later it is another."""
    for id_ in ("w1", "w2"):
        hooked(world, id_)
    later(world, LISTED_MS / 1000)
    pass_time(world.redis, 60)
    hooked(world, "w3")
    later(world, LISTED_MS / 1000)
    assert (world.inputs(), world.status("w2"), world.status("w3")) == (["yes", "yes"], DUPLICATE, REPLIED)


def test_a_copy_that_ghl_never_lists_is_known_by_the_event_that_was_answered(world: World) -> None:
    """If the event came first and was answered, the workflow's copy is a duplicate, without a second question."""
    assert signed(world, "m1") == "accepted"
    world.work()
    hooked(world)
    world.work()
    assert world.status("w1")[0] == "retrying"
    later(world, LISTED_MS / 1000)
    assert (world.inputs(), world.status("w1"), due_ms(world.redis)) == (["yes"], DUPLICATE, None)


def test_an_event_is_known_by_the_copy_that_was_answered_under_an_id_of_ours(world: World) -> None:
    """If the copy came first and GHL did not list it in time, the event of the same message is refused on arrival."""
    hooked(world)
    later(world, LISTED_MS / 1000)
    assert world.status("w1") == REPLIED
    assert signed(world, "m1", ago=LISTED_MS / 1000 + 1) == "duplicate"
    assert (world.inputs(), world.status("m1"), due_ms(world.redis)) == (["yes"], DUPLICATE, None)
    assert signed(world, "m1") == "duplicate"


def test_an_event_that_the_sweep_brings_is_known_by_the_copy_too(world: World) -> None:
    """A message that was answered under the bridge's id is not accepted again when GHL lists it later."""
    hooked(world)
    later(world, LISTED_MS / 1000)
    found = SweptMessages(world.redis, retention_ms=RETENTION_MS, fernet_keys=[FERNET_KEY])
    pass_time(world.redis, 600)
    added = now_ms(world.redis) - 609_000
    assert found.take([message("m1", text="yes", date_added_ms=added)]) == ["duplicate"]
    assert due_ms(world.redis) is None


@pytest.mark.parametrize(
    "fields", [{"ago": -30}, {"ago": 200}, {"said": "no"}, {"contact": "another"}], ids=["newer", "older", "words", "contact"]
)
def test_an_event_is_no_twin_of_just_any_copy(world: World, fields: dict[str, Any]) -> None:
    """A text that was written after the copy, long before it, or with other words, is another message."""
    hooked(world)
    later(world, LISTED_MS / 1000)
    assert signed(world, "m1", **fields) == "accepted"


def test_one_event_is_the_twin_of_one_copy(world: World) -> None:
    """If a contact writes the same again and only the workflow reports it, it is answered again."""
    assert signed(world, "m1") == "accepted"
    world.work()
    hooked(world, "w1")
    later(world, LISTED_MS / 1000)
    pass_time(world.redis, 40)
    hooked(world, "w2")
    later(world, LISTED_MS / 1000)
    assert (world.status("w1"), world.status("w2"), world.inputs()) == (DUPLICATE, REPLIED, ["yes", "yes"])


def test_an_event_that_ghls_list_gave_to_one_copy_is_no_twin_of_the_next(world: World) -> None:
    """If GHL's list has assigned the event to one copy, it does not count for another."""
    assert signed(world, "m1") == "accepted"
    lists(world, "m1")
    world.work()
    hooked(world, "w1")
    world.work()
    tick(world, 60)
    world.listed.clear()
    hooked(world, "w2")
    later(world, LISTED_MS / 1000)
    assert (world.status("w1"), world.status("w2")) == (DUPLICATE, REPLIED)


BOTH_WAYS = st.permutations(["event", "copy"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(BOTH_WAYS, st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_where_ghl_lists_nothing_each_message_is_answered_once(redis: Redis, story: list[tuple[list[str], bool, bool]]) -> None:
    """The same words, each by event and copy in any order, at once or after the reply, are answered once per message."""
    redis.flushall()
    with opened(redis) as world:
        world.keep(history_messages=0)
        for number, (ways, answered_between, answered_after) in enumerate(story):
            tick(world, 60)
            written = now_ms(redis)
            for way in ways:
                if way == "event":
                    told = message(f"m{number}", text="yes", date_added_ms=written)
                    accept(redis, told)
                else:
                    hooked(world, f"w{number}")
                if answered_between:
                    written -= rest(world)
            if answered_after:
                rest(world)
        rest(world)
        asked = [line for asked in world.inputs() for line in asked.split("\n")]
        assert asked == ["yes"] * len(story)


def rest(world: World) -> int:
    """Do all work that is due; returns the time (ms) that it took by the test's clock."""
    passed = 0
    while (at := due_ms(world.redis)) is not None:
        wait = max(0.0, (at - now_ms(world.redis)) / 1000)
        tick(world, wait)
        passed += round(wait * 1000)
        world.work()
    return passed


def test_the_same_words_of_long_ago_are_not_taken_for_new_ones_too_early(world: World) -> None:
    """While only an old message with the same words is listed, a newer one is awaited."""
    lists(world, "old", ago=FRESH_MS / 1000 + 60)
    hooked(world)
    world.work()
    assert (world.inputs(), world.status("w1")[0]) == ([], "retrying")
    lists(world, "m1", ago=LOOK_AGAIN_SECONDS)
    later(world, LOOK_AGAIN_SECONDS)
    assert (asked_about(world), world.status("old")) == ([("m1", CONVERSATION)], GONE)


def test_a_workflow_that_takes_its_time_tells_of_an_old_message(world: World) -> None:
    """If no newer message appears, the old one counts: if it was accepted before, the copy is a duplicate."""
    assert signed(world, "m1") == "accepted"
    lists(world, "m1")
    world.work()
    world.listed[0]["dateAdded"] -= 600_000
    hooked(world)
    world.work()
    assert world.status("w1")[0] == "retrying"
    later(world, LISTED_MS / 1000)
    assert (world.status("w1"), world.inputs()) == (DUPLICATE, ["yes"])


def test_an_old_message_of_a_slow_workflow_is_too_old(world: World) -> None:
    """The age is that of GHL's record, not of the webhook."""
    world.keep(max_age_seconds=600)
    lists(world, "m1", ago=700)
    hooked(world)
    later(world, LISTED_MS / 1000)
    assert (world.status("m1"), world.inputs()) == (("skipped", "too_old"), [])


@pytest.mark.parametrize("path", [SEARCH, LIST])
def test_without_ghl_it_is_tried_again(world: World, path: str) -> None:
    """If GHL can't be read, the attempt fails; no completion is requested, and nothing is lost."""
    lists(world, "m1")
    hooked(world)
    world.refusing[path] = 503
    world.work()
    assert (world.inputs(), world.status("w1")[0]) == ([], "retrying")
    assert world.redis.hget(key("lane", str(LANE)), "attempts") == "1"
    del world.refusing[path]
    later(world, 1.0)
    assert world.status("m1") == REPLIED


def test_a_message_with_its_id_only_lacks_its_conversation(world: World) -> None:
    """The conversation is looked up once, and the provider gets it."""
    world.write("m1", conversation_id=ConversationId(""))
    world.work()
    assert (asked_about(world), reads(world), world.status("m1")) == ([("m1", CONVERSATION)], [SEARCH], REPLIED)
    assert Timelines(world.redis).find(CONVERSATION)


def test_a_contact_without_a_conversation_is_answered_all_the_same(world: World) -> None:
    """After some seconds of looking, the provider gets no conversation."""
    world.unknown = True
    world.write("m1", conversation_id=ConversationId(""))
    world.work()
    assert world.status("m1")[0] == "retrying"
    later(world, LISTED_MS / 1000)
    assert (asked_about(world), world.status("m1")) == ([("m1", "")], REPLIED)


def test_the_channel_is_that_of_ghls_record(world: World) -> None:
    """A webhook without a channel is answered on the channel of GHL's record, with the same conversation provider."""
    world.keep(channels=("WhatsApp",))
    lists(world, "m1", messageType="TYPE_WHATSAPP", conversationProviderId="provider")
    hooked(world)
    world.work()
    (posted,) = [document for path, document in world.calls if path == POST]
    assert (posted["type"], posted["conversationProviderId"], world.status("m1")) == ("WhatsApp", "provider", REPLIED)


def test_a_channel_that_is_off_is_known_by_ghls_record(world: World) -> None:
    """A message that seemed to be an SMS is checked by the channel in GHL's record."""
    lists(world, "m1", messageType="TYPE_INSTAGRAM")
    world.keep(channels=("SMS",))
    hooked(world)
    world.work()
    assert (world.status("m1"), world.inputs()) == (("skipped", "channel_off"), [])


def test_a_message_of_the_told_channel_counts_before_a_newer_one_of_another(world: World) -> None:
    """The same words on two channels are two messages."""
    lists(world, "m1", messageType="TYPE_WHATSAPP", ago=2)
    lists(world, "m2", messageType="TYPE_SMS")
    hooked(world, "w1", channel=Channel.WHATSAPP, message_type="WhatsApp", message_type_string="TYPE_WHATSAPP")
    hooked(world, "w2", message_type_string="TYPE_SMS")
    world.work()
    world.work()
    assert (asked_about(world), world.status("m1")) == ([("m1", CONVERSATION), ("m2", CONVERSATION)], REPLIED)


def test_an_email_is_known_by_what_its_sender_wrote(world: World) -> None:
    """E-mails are listed without their text, and their events have other ids than the list."""
    world.keep(channels=("Email",))
    meta = {"email": {"messageIds": ["e1"]}}
    lists(world, "row", "", messageType="TYPE_EMAIL", meta=meta)
    world.texts["row"] = "<p>Is <b>Friday</b> free?</p><blockquote>our offer</blockquote>"
    fields: dict[str, Any] = {"channel": Channel.EMAIL, "message_type": "Email", "message_type_string": "TYPE_EMAIL"}
    hooked(world, said="Is Friday free?", **fields)
    world.work()
    (posted,) = [document for path, document in world.calls if path == POST]
    assert (asked_about(world), world.status("e1"), posted["replyMessageId"]) == ([("e1", CONVERSATION)], REPLIED, "e1")
    assert [signed(world, id_, **fields) for id_ in ("e1", "row")] == ["duplicate", "duplicate"]


def test_what_must_not_be_answered_is_not_looked_up(world: World) -> None:
    """A location that is off reads nothing from GHL."""
    world.keep(mode="off")
    hooked(world)
    world.work()
    assert (world.calls, world.status("w1")) == ([], ("skipped", "location_paused"))


def test_a_dead_letter_without_its_id_is_taken_along(world: World) -> None:
    """The texts of a turn that failed before GHL could be read are answered once, with the next message."""
    world.refusing[SEARCH] = 400
    hooked(world, said="hello")
    world.work()
    assert world.status("w1")[0] == "dead"
    del world.refusing[SEARCH]
    lists(world, "m2")
    hooked(world, "w2")
    world.work()
    assert (world.inputs(), world.status("w1"), world.status("m2")) == (["hello\nyes"], ENDED, REPLIED)
    assert not world.redis.exists(key("carried", str(LANE)))


def test_a_replay_of_what_had_no_id_finds_it(world: World) -> None:
    """The replay of a dead letter runs all steps, including the search for its id."""
    world.refusing[SEARCH] = 400
    hooked(world)
    world.work()
    del world.refusing[SEARCH]
    lists(world, "m1")
    assert dead_letters_of(world.redis).replay(world.dead_letter(), force=False) == "replayed"
    world.work()
    assert (asked_about(world), world.status("m1"), due_ms(world.redis)) == ([("m1", CONVERSATION)], REPLIED, None)


def test_a_saved_answer_is_posted_before_what_joined_is_looked_for(world: World) -> None:
    """A webhook between two attempts makes a saved answer stale only if its message is new."""
    assert signed(world, "m1") == "accepted"
    lists(world, "m1")
    world.refusing[POST] = 429
    world.work()
    hooked(world)
    del world.refusing[POST]
    later(world, 1.0)
    assert (world.inputs(), len(world.posts()), world.status("w1")) == (["yes"], 2, DUPLICATE)


def tick(world: World, seconds: float) -> None:
    """Let time pass for the store and for GHL's list."""
    pass_time(world.redis, seconds)
    for row in world.listed:
        row["dateAdded"] -= round(seconds * 1000)


def at_rest(world: World) -> bool:
    """Whether nothing is left to do after the due work."""
    while (at := due_ms(world.redis)) is not None:
        tick(world, max(0.0, (at - now_ms(world.redis)) / 1000))
        world.work()
    return not world.redis.exists(key("waiting", str(LANE)))


WAYS = st.sampled_from(["marketplace", "workflow", "workflow with id", "work"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["yes", "no"]), st.lists(WAYS, min_size=1, max_size=4)), min_size=1, max_size=4))
def test_whatever_ways_messages_come_each_is_answered_once(redis: Redis, story: list[tuple[str, list[str]]]) -> None:
    """Several messages, with equal words or not, each by one or both ways and repeated, are each asked about once."""
    redis.flushall()
    with opened(redis) as world:
        true = []
        for number, (said, ways) in enumerate(story):
            tick(world, 60)
            lists(world, f"m{number}", said)
            true += [f"m{number}"] if set(ways) != {"work"} else []
            for way, kind in enumerate(ways):
                if kind == "marketplace":
                    signed(world, f"m{number}", said)
                elif kind == "workflow":
                    hooked(world, f"w{number}-{way}", said)
                elif kind == "workflow with id":
                    accept(redis, message(f"m{number}", text=said, conversation_id=ConversationId(""), date_added_ms=0))
                elif due_ms(redis) is not None:
                    world.work()
        assert at_rest(world)
        assert [world.status(id_) for id_ in true] == [REPLIED] * len(true)
        asked = [line for asked in world.inputs() for line in asked.split("\n")]
        assert sorted(asked) == sorted(said for number, (said, _) in enumerate(story) if f"m{number}" in true)
        assert len(world.posts()) == len(world.inputs())


def test_a_worker_that_dies_after_it_found_the_id_changes_nothing(world: World) -> None:
    """What a worker stored about a message is used by the next one, which does not read GHL again."""
    lists(world, "m1")
    hooked(world)
    world.refusing[COMPLETE] = 500
    world.work()
    assert (text(world.redis.lindex(key("waiting", str(LANE)), 0)), reads(world)) == ("m1", [SEARCH, LIST])
    del world.refusing[COMPLETE]
    later(world, 2.0)
    assert (world.status("m1"), reads(world)) == (REPLIED, [SEARCH, LIST])
    assert lanes_of(world.redis).claim("w", slots=1, alive_seconds=1, most=1).lanes == ()


def kept(world: World) -> dict[str, str]:
    """The lane's record without the fields that count how messages ended."""
    record = world.redis.hgetall(key("lane", str(LANE)))
    return {str(name): str(value) for name, value in record.items() if not str(name).startswith("ended:")}


def test_a_duplicate_leaves_the_lane_as_it_was(world: World) -> None:
    """The provider's session and the time of the last reply survive a duplicate."""
    world.keep(history_messages=0, provider="agencii")
    lists(world, "m1")
    assert signed(world, "m1") == "accepted"
    world.work()
    before = kept(world)
    hooked(world)
    world.work()
    assert world.status("w1") == ("skipped", "duplicate")
    assert kept(world) == before
    assert world.redis.pttl(key("lane", str(LANE))) > 0
    assert signed(world, "m2", "more") == "accepted"
    world.work()
    assert [asked["chatId"] for asked in world.asked(AGENCII)] == [None, "chat1"]
