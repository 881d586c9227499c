"""Standings of contacts: who wrote, opt-outs, what lifts them, and what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge.errors import AlreadySent, StandingChanged
from bridge.model import (
    Again,
    Channel,
    Completion,
    ContactUpdate,
    ConversationId,
    Dead,
    Ended,
    MessageId,
    OutboundMessage,
    PastMessage,
    Status,
)
from bridge.store.figures.counts import Counts
from bridge.store.lanes.outbound import outbound_fields
from bridge.store.lanes.standings import contact_args
from bridge.store.lanes.steps import ASK
from bridge.store.lanes.timelines import Timelines
from bridge.store.redis.connection import now_ms
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import prefix_of
from tests.keys import card, key
from tests.stored import (
    HERE,
    LANE,
    RETENTION_MS,
    accept,
    check,
    keep,
    lanes_of,
    ledger_of,
    message,
    part,
    posted,
    snapshot,
    standing_of,
    standings_of,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from bridge.model import Posting, Standing, Turn
    from bridge.store.lanes.leases import Lanes

CONVERSATION = ConversationId("conversation-contact")
STANDING, LANE_RECORD = key("standing", str(LANE)), key("lane", str(LANE))
DAY = 24 * 3600 * 1000


def outbound(redis: Redis, id_: str = "o1", text: str = "I take over", *, ago: int = 0, **fields: Any) -> OutboundMessage:
    given: dict[str, Any] = {"conversation_id": CONVERSATION, "type": "TYPE_SMS", "date_added_ms": now_ms(redis) - ago, **fields}
    return OutboundMessage(id=MessageId(id_), location_id=LANE.location_id, contact_id=LANE.contact_id, text=text, **given)


def observe(redis: Redis, *messages: OutboundMessage, event: bool = True) -> int:
    """Write what the receiver writes for an event, or a guard for what it has read."""
    run = redis.register_script(script("observe"))
    told = orjson.dumps([outbound_fields(one) for one in messages])
    return int(run(keys=[prefix_of(LANE)], args=[str(LANE), told, int(event), RETENTION_MS, ""]))


def update(redis: Redis, **fields: Any) -> None:
    given: dict[str, Any] = {"at_ms": now_ms(redis), **fields}
    told = ContactUpdate(location_id=LANE.location_id, contact_id=LANE.contact_id, **given)
    redis.register_script(script("contact"))(keys=[prefix_of(LANE)], args=contact_args(told, RETENTION_MS))


def standing(redis: Redis) -> Standing:
    return standing_of(redis, LANE, CONVERSATION)


def turn_of(redis: Redis, id_: str = "m1") -> tuple[Lanes, Turn]:
    """A leased turn."""
    accept(redis, message(id_))
    lanes = lanes_of(redis)
    return lanes, take(lanes)


def sending(redis: Redis, lanes: Lanes, turn: Turn, name: str = "0", text: str = "hello back") -> None:
    revision = standing(redis).revision
    assert lanes.sending(turn, part(name, text), revision=revision, at_ms=now_ms(redis), channel="SMS")


def steps(redis: Redis) -> list[str]:
    timeline = Timelines(redis).find(LANE.contact_id)
    return [event.step for event in timeline.events] if timeline else []


# Whose words


@pytest.mark.parametrize(
    ("fields", "person", "automation"),
    [
        ({}, True, False),
        ({"user_id": "staff", "source": "app"}, True, False),
        ({"source": "api"}, True, False),
        ({"source": "workflow"}, False, True),
        ({"source": "bulk_actions", "user_id": "staff"}, False, True),
        ({"type": "InternalComment", "user_id": "staff"}, False, False),
        ({"type": "TYPE_ACTIVITY_CONTACT"}, False, False),
    ],
)
def test_it_is_known_who_spoke(redis: Redis, fields: dict[str, Any], *, person: bool, automation: bool) -> None:
    """It is a person with or without `userId`, an automation, or nobody whose message the contact sees."""
    keep(redis)
    accept(redis, message())
    assert observe(redis, outbound(redis, **fields)) == (person or automation)
    now = standing(redis)
    assert (now.human_id, now.automation_id) == ("o1" if person else "", "o1" if automation else "")


def test_of_an_unknown_location_nothing_is_kept(redis: Redis) -> None:
    """Neither texts nor contacts are stored; the result says whether the state ever had a location."""
    assert observe(redis, outbound(redis)) == -1
    update(redis, tags=("vip",))
    assert snapshot(redis) == {}


def test_only_the_newest_words_count(redis: Redis) -> None:
    """A late message, or one whose status changed, changes nothing, but is stored."""
    keep(redis)
    observe(redis, outbound(redis, "o2", "second", ago=1_000))
    before = standing(redis)
    observe(redis, outbound(redis, "o1", "first", ago=5_000), outbound(redis, "o2", "second", ago=0))
    assert standing(redis) == before
    assert [one.content for one in standings_of(redis).said(LANE, 9)] == ["first", "second"]


def test_words_from_before_our_memory_are_not_judged(redis: Redis) -> None:
    """An older message may be ours; a takeover that lasts longer looks further back."""
    keep(redis, takeover_seconds=-1)
    assert observe(redis, outbound(redis, ago=RETENTION_MS + 1_000)) == 0
    keep(redis, takeover_seconds=86_400)
    assert observe(redis, outbound(redis, ago=RETENTION_MS + 1_000)) == 1


def test_a_moment_to_come_counts_as_now(redis: Redis) -> None:
    """GHL's clock may be ahead, which must not extend a takeover."""
    keep(redis)
    observe(redis, outbound(redis, ago=-DAY))
    assert standing(redis).human_at_ms <= now_ms(redis)


# Ours


def test_our_message_is_known_by_its_id(redis: Redis) -> None:
    """Its text does not matter, because GHL may change it."""
    keep(redis)
    lanes, turn = turn_of(redis)
    sending(redis, lanes, turn)
    lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=1, how="posted"))
    assert observe(redis, outbound(redis, "r1", "rewritten")) == 0
    assert standing(redis).human_at_ms == 0


@pytest.mark.parametrize("user", ["", "staff"])
@pytest.mark.parametrize("state", ["sending", "not_sent", "sent"])
def test_our_message_is_known_by_its_words(redis: Redis, state: str, user: str) -> None:
    """An echo may come before the post's answer, and a person may retry a failed reply in GHL: both have the same text."""
    keep(redis)
    lanes, turn = turn_of(redis)
    sending(redis, lanes, turn)
    if state == "not_sent":
        lanes.not_sent(turn, part("0"), at_ms=1)
    if state == "sent":
        lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=1, how="posted"))
    assert observe(redis, outbound(redis, "r9", "<p>Hello  back</p>", user_id=user)) == 0
    assert not standing(redis).human_at_ms
    assert lanes.ours(LANE, [MessageId("r9")]) == {"r9"}
    assert ledger_of(redis, turn)["0"].state == "sent"


@pytest.mark.parametrize(("ago", "ours"), [(0, True), (100_000, True), (200_000, False), (5 * 3600_000, False)])
def test_words_from_before_the_attempt_are_not_its_echo(redis: Redis, ago: int, *, ours: bool) -> None:
    """The same text from hours before was somebody else's; as the reply, it would leave the contact without one."""
    keep(redis)
    lanes, turn = turn_of(redis)
    sending(redis, lanes, turn)
    lanes.not_sent(turn, part("0"), at_ms=1)
    observe(redis, outbound(redis, "r9", "hello back", ago=ago))
    assert (ledger_of(redis, turn)["0"].state == "sent") is ours
    assert bool(standing(redis).human_at_ms) is not ours


def test_an_echo_ends_the_wait_of_its_turn(redis: Redis) -> None:
    """If GHL reports a reply of unknown outcome, the turn continues at once, not at the next read-back."""
    keep(redis)
    lanes, turn = turn_of(redis)
    sending(redis, lanes, turn)
    lanes.again(turn, [MessageId("m1")], Again(wait=60, why="outcome unknown"))
    observe(redis, outbound(redis, "r9", "hello back"))
    assert take(lanes).ledger["0"].message_ids == ("r9",)


@pytest.mark.parametrize("state", ["sending", "not_sent"])
def test_an_echo_closes_a_dead_letter(redis: Redis, state: str) -> None:
    """The dead letter is closed and the message replied, with the ids of all parts."""
    keep(redis)
    lanes, turn = turn_of(redis)
    first = part("0", "part one")
    assert lanes.sending(turn, first, revision=0, at_ms=now_ms(redis), channel="SMS")
    lanes.sent(turn, posted(first, [MessageId("r1")], at_ms=1, how="posted"))
    sending(redis, lanes, turn, "1", "part two")
    if state == "not_sent":
        lanes.not_sent(turn, part("1", "part two"), at_ms=1)
    lanes.write_dead_letter(
        turn, [MessageId("m1")], Dead(error="outcome unknown"), answer=Completion(text="both"), at_ms=now_ms(redis)
    )
    observe(redis, outbound(redis, "r2", "part two", user_id="staff"))
    told = redis.hgetall(key("message", HERE, "m1"))
    assert (told["status"], sorted(orjson.loads(told["replies"]))) == ("replied", ["r1", "r2"])
    assert not card(redis, "dead")
    assert Counts(redis).totals()["messages|replied|"] == 1


# While a call is open


def test_who_wrote_without_a_user_during_a_post_is_known_after_it(redis: Redis) -> None:
    """The id in the post's answer is ours; any other was a person's."""
    keep(redis)
    lanes, turn = turn_of(redis)
    sending(redis, lanes, turn)
    assert observe(redis, outbound(redis, "r1", "rewritten"), outbound(redis, "o1", "a person's"), event=True) == 0
    assert standing(redis).human_at_ms == 0
    lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=1, how="posted"))
    assert standing(redis).human_id == "o1"


def test_who_wrote_with_a_user_during_a_post_is_a_person_at_once(redis: Redis) -> None:
    """No program of ours has a `userId`."""
    keep(redis)
    lanes, turn = turn_of(redis)
    sending(redis, lanes, turn)
    assert observe(redis, outbound(redis, user_id="staff")) == 1


@pytest.mark.parametrize("by", ["text", "id"])
@pytest.mark.parametrize("early", [True, False])
def test_a_providers_delivery_is_no_takeover(redis: Redis, by: str, *, early: bool) -> None:
    """Before or after its answer, it is recognised by the claimed id, or by its text."""
    keep(redis)
    lanes, turn = turn_of(redis)
    m1 = [MessageId("m1")]
    lanes.asking(turn, m1, at_ms=now_ms(redis), may_deliver=True, circuit="c", seconds=1)
    echo = outbound(redis, "g1", "The answer" if by == "text" else "rewritten")
    if early:
        assert observe(redis, echo) == 0
    answer = Completion(text="The answer", claimed_message_id="g1" if by == "id" else "")
    lanes.answered(turn, m1, answer, at_ms=now_ms(redis), seconds=0.01, may_deliver=True)
    if not early:
        assert observe(redis, echo) == 0
    assert (standing(redis).human_at_ms, ledger_of(redis, turn)[ASK].message_ids) == (0, ("g1",))
    with pytest.raises(AlreadySent):
        lanes.sending(turn, _first(), revision=standing(redis).revision, at_ms=1, channel="SMS")


def test_a_delivery_that_is_heard_after_the_turn_is_no_takeover(redis: Redis) -> None:
    """A delivery without an id is recognised by its text for a day."""
    keep(redis)
    lanes, turn = turn_of(redis)
    m1 = [MessageId("m1")]
    lanes.asking(turn, m1, at_ms=now_ms(redis), may_deliver=True, circuit="c", seconds=1)
    lanes.answered(turn, m1, Completion(text="The answer"), at_ms=now_ms(redis), seconds=0, may_deliver=True)
    lanes.end(turn, Ended(status=Status.DELIVERED_BY_PROVIDER, message_ids=tuple(m1)))
    assert observe(redis, outbound(redis, "g1", "The answer")) == 0
    assert standing(redis).human_at_ms == 0


def test_who_wrote_while_a_provider_was_asked_is_known_by_its_answer(redis: Redis) -> None:
    """A text other than the provider's was a person's, and forbids the post."""
    keep(redis)
    lanes, turn = turn_of(redis)
    m1 = [MessageId("m1")]
    revision = standing(redis).revision
    lanes.asking(turn, m1, at_ms=now_ms(redis), may_deliver=True, circuit="c", seconds=1)
    observe(redis, outbound(redis, "o1", "I am here"))
    lanes.answered(turn, m1, Completion(text="The answer"), at_ms=now_ms(redis), seconds=0, may_deliver=True)
    assert standing(redis).human_id == "o1"
    with pytest.raises(StandingChanged):
        lanes.sending(turn, _first(), revision=revision, at_ms=1, channel="SMS")


def _first() -> Posting:
    return replace(part("0"), parts=("hello back",))


# Revision


def test_what_forbids_a_reply_stops_it_at_the_wire(redis: Redis) -> None:
    """The guards' standing is compared before the ledger is written, and again before the first byte."""
    keep(redis)
    lanes, turn = turn_of(redis)
    revision = standing(redis).revision
    sending(redis, lanes, turn)
    check(lanes, turn, seconds=1, revision=revision)
    accept(redis, message("m2", text="STOP", date_added_ms=now_ms(redis)))
    for call in (
        lambda: check(lanes, turn, seconds=1, revision=revision),
        lambda: lanes.sending(turn, part("0"), revision=revision, at_ms=1, channel="SMS"),
    ):
        with pytest.raises(StandingChanged):
            call()


CHANGES: dict[str, Any] = {
    "a person": lambda redis: observe(redis, outbound(redis, user_id="staff")),
    "a stop": lambda redis: accept(redis, message("s", text="stop", date_added_ms=now_ms(redis))),
    "a pause": lambda redis: standings_of(redis).pause(LANE.contact_id),
    "tags": lambda redis: update(redis, tags=("ai_off",)),
    "dnd": lambda redis: update(redis, dnd=True),
    "a blocked channel": lambda redis: update(redis, blocked_channels=("SMS",)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_revision_changes_with_what_forbids(redis: Redis, name: str) -> None:
    """It changes once per event; a start, a resume and an allow change it too."""
    keep(redis)
    accept(redis, message())
    before = standing(redis).revision
    CHANGES[name](redis)
    changed = standing(redis).revision
    assert changed > before
    if name != "a person":
        CHANGES[name](redis)
        assert standing(redis).revision == changed


# Stops


def say(redis: Redis, id_: str, text: str, at: int, channel: Channel = Channel.SMS) -> list[str]:
    return accept(redis, message(id_, text=text, date_added_ms=now_ms(redis) + at, channel=channel))


@pytest.mark.parametrize(
    ("words", "stopped"),
    [
        ([("STOP", -10)], True),
        ([("STOP", -10), ("START", -5)], False),
        ([("START", -5), ("STOP", -10)], False),
        ([("STOP", -5), ("START", -10)], True),
        ([("START", -10), ("STOP", -5)], True),
        ([("STOP", -20), ("START", -10), ("stop", -5)], True),
    ],
)
def test_a_stop_and_a_start_count_by_their_own_time(redis: Redis, words: list[tuple[str, int]], *, stopped: bool) -> None:
    """Whichever arrives first, the contact's later one counts."""
    keep(redis)
    for number, (text, at) in enumerate(words):
        say(redis, f"m{number}", text, at * 1000)
    assert (set(standing(redis).stopped) == {"SMS"}) is stopped


def test_a_stop_is_of_its_channel(redis: Redis) -> None:
    """A start is of its channel too."""
    keep(redis)
    assert say(redis, "m1", "stop", -9, Channel.WHATSAPP) == ["stop_word"]
    assert say(redis, "m2", "stop", -9, Channel.EMAIL) == ["stop_word"]
    say(redis, "m3", "START", 0, Channel.EMAIL)
    assert set(standing(redis).stopped) == {"WhatsApp"}


def test_a_stop_ends_what_waits_for_a_retry(redis: Redis) -> None:
    """The lane is due at once, whatever its next attempt was planned for."""
    keep(redis)
    lanes, turn = turn_of(redis)
    lanes.again(turn, [MessageId("m1")], Again(wait=600, why="429"))
    say(redis, "m2", "Stop!", 0)
    assert take(lanes).messages[0].id == "m1"


def test_an_old_stop_hurries_nothing(redis: Redis) -> None:
    """A stop that a later START has lifted changes nothing."""
    keep(redis)
    lanes, turn = turn_of(redis)
    lanes.again(turn, [MessageId("m1")], Again(wait=600, why="429"))
    say(redis, "m2", "START", 0)
    say(redis, "m3", "STOP", -9000)
    assert "not_before" in redis.hgetall(LANE_RECORD)


def test_allow_lifts_every_stop(redis: Redis) -> None:
    """It is like a START on each channel; a second time there is nothing to lift."""
    keep(redis)
    say(redis, "m1", "stop", -9)
    say(redis, "m2", "stop", -9, Channel.WHATSAPP)
    assert standings_of(redis).allow(LANE) == ("SMS", "WhatsApp")
    assert standing(redis).stopped == {}
    before = snapshot(redis)
    assert standings_of(redis).allow(LANE) == ()
    assert snapshot(redis) == before


def test_a_clock_that_jumped_back_keeps_nothing_shut(redis: Redis) -> None:
    """An operator can lift what is dated later than the server's clock."""
    keep(redis)
    accept(redis, message("s", text="stop"))
    observe(redis, outbound(redis, user_id="staff"))
    redis.hset(STANDING, mapping=dict.fromkeys(("stop:SMS", "human_at"), now_ms(redis) + 60_000))
    assert standings_of(redis).allow(LANE) == ("SMS",)
    assert standings_of(redis).resume(LANE.contact_id)
    now = standing(redis)
    assert (now.stopped, now.resumed_at_ms >= now.human_at_ms > 0) == ({}, True)
    assert redis.pttl(STANDING) > 0


# Pauses


@pytest.mark.parametrize("lifted_by", ["contact", CONVERSATION, "m1"])
@pytest.mark.parametrize("id_", ["contact", CONVERSATION])
def test_a_pause_may_come_before_anything_is_known(redis: Redis, id_: str, lifted_by: str) -> None:
    """It is by contact or conversation id, and counts from the first message until it is lifted by any of its ids."""
    keep(redis)
    standings = standings_of(redis)
    assert standings.pause(id_) is None
    accept(redis, message())
    assert standings.resume(lifted_by)
    assert not standing(redis).paused_at_ms
    assert standings.pause("later") is None
    accept(redis, message("m2", conversation_id=ConversationId("later")))
    assert standing(redis).paused_at_ms
    assert standings.resume(lifted_by)
    assert not standing(redis).paused_at_ms


def test_a_pause_that_never_met_its_contact_can_be_lifted(redis: Redis) -> None:
    """None of it is left; an unknown id has nothing to lift."""
    standings = standings_of(redis)
    standings.pause("typo")
    assert standings.resume("typo")
    assert snapshot(redis) == {}
    assert not standings.resume("typo")


@pytest.mark.parametrize("id_", ["contact", CONVERSATION, "m1"])
def test_a_known_conversation_is_paused_by_any_of_its_ids(redis: Redis, id_: str) -> None:
    """The timeline says who did it."""
    keep(redis)
    accept(redis, message())
    standings = standings_of(redis)
    assert standings.pause(id_) == LANE
    assert standing(redis).paused_at_ms
    assert standings.resume(id_)
    assert steps(redis)[-2:] == ["paused", "resumed"]


def test_a_resume_ends_a_takeover(redis: Redis) -> None:
    """It ends earlier takeovers; the next message of a person is a new one."""
    keep(redis)
    accept(redis, message())
    observe(redis, outbound(redis, ago=1000, user_id="staff"))
    standings_of(redis).resume(LANE.contact_id)
    now = standing(redis)
    assert now.resumed_at_ms >= now.human_at_ms > 0
    observe(redis, outbound(redis, "o2", user_id="staff"))
    assert standing(redis).human_id == "o2"


# What events tell of a contact


def test_an_event_tells_of_a_contact(redis: Redis) -> None:
    """Tags, do-not-disturb and blocked channels are stored separately; missing fields stay."""
    keep(redis)
    update(redis, tags=("vip", "ai_off"))
    update(redis, dnd=True)
    update(redis, blocked_channels=("SMS",))
    update(redis, tags=())
    now = standing(redis)
    assert (now.tags, now.dnd, now.blocked_channels) == (frozenset(), True, frozenset({"SMS"}))
    assert min(now.tags_heard_ms, now.dnd_heard_ms, now.blocked_heard_ms) > 0
    assert now.hears_events


def test_a_late_event_changes_nothing_newer(redis: Redis) -> None:
    """The event's own time counts, not its arrival."""
    keep(redis)
    update(redis, tags=("new",), at_ms=now_ms(redis) - 1000)
    before = snapshot(redis, without=("last_event_at", "marketplace_at"))
    update(redis, tags=("old",), at_ms=now_ms(redis) - 60_000)
    assert snapshot(redis, without=("last_event_at", "marketplace_at")) == before


def test_a_location_hears_events_only_if_one_came(redis: Redis) -> None:
    """Data that was read from GHL says nothing about webhooks."""
    keep(redis)
    observe(redis, outbound(redis), event=False)
    assert not standing(redis).hears_events
    observe(redis, outbound(redis))
    assert standing(redis).hears_events


# How long it is kept


@pytest.mark.parametrize(
    ("settings", "change", "for_ever"),
    [
        ({}, "a stop", True),
        ({}, "a pause", True),
        ({}, "a person", False),
        ({}, "tags", False),
        ({"takeover_seconds": -1}, "a person", True),
        ({"takeover_seconds": -1}, "tags", False),
    ],
)
def test_only_what_has_no_end_is_kept_for_ever(redis: Redis, settings: dict[str, Any], change: str, *, for_ever: bool) -> None:
    """Stops, pauses and takeovers until resumed don't expire; everything else does, and they do once they are lifted."""
    keep(redis, **settings)
    accept(redis, message())
    CHANGES[change](redis)
    assert (redis.pttl(STANDING) == -1) is for_ever
    standings_of(redis).resume(LANE.contact_id)
    standings_of(redis).allow(LANE)
    assert redis.pttl(STANDING) > 0


def test_a_takeover_is_kept_as_long_as_it_lasts(redis: Redis) -> None:
    """It may be stored for longer than anything else."""
    keep(redis, takeover_seconds=RETENTION_MS)
    observe(redis, outbound(redis, user_id="staff"))
    assert redis.pttl(STANDING) > RETENTION_MS


def test_an_automation_that_counts_may_have_no_end_either(redis: Redis) -> None:
    """With `takeover_by_workflow` an automation's message silences until resumed, like a person's."""
    keep(redis, takeover_seconds=-1, takeover_by_workflow=True)
    observe(redis, outbound(redis, source="workflow"))
    assert redis.pttl(STANDING) == -1


def test_a_campaign_to_those_who_never_wrote_writes_nothing(redis: Redis) -> None:
    """Not even its time is stored more than every few seconds: GHL sends a hundred such events for one that is answered."""
    keep(redis)
    record = key("location", HERE)
    observe(redis, outbound(redis, "o1", source="workflow"))
    assert now_ms(redis) - int(redis.hget(record, "marketplace_at") or 0) < 60_000
    redis.hset(record, "unheard", 3)
    observe(redis, outbound(redis, "o2", source="workflow"))
    assert redis.hget(record, "unheard") == "0"
    before = int(redis.info("persistence")["rdb_changes_since_last_save"])
    observe(redis, outbound(redis, "o3", source="workflow"))
    assert int(redis.info("persistence")["rdb_changes_since_last_save"]) == before
    assert not redis.exists(key("index", CONVERSATION))
    redis.hset(record, "last_event_at", now_ms(redis) - 6_000)
    observe(redis, outbound(redis, "o4", source="workflow"))
    assert now_ms(redis) - int(redis.hget(record, "last_event_at") or 0) < 5_000


def test_a_script_that_is_sent_twice_does_the_same(redis: Redis) -> None:
    """redis-py does so if an answer is lost: nothing is recorded or counted twice."""
    keep(redis)
    accept(redis, message())
    moment = now_ms(redis)
    calls: list[Callable[[], object]] = [
        lambda: observe(redis, outbound(redis, user_id="staff", date_added_ms=moment)),
        lambda: update(redis, tags=("vip",), dnd=True, at_ms=moment),
        lambda: standings_of(redis).pause(LANE.contact_id),
        lambda: standings_of(redis).resume(LANE.contact_id),
        lambda: standings_of(redis).pause("not known"),
        lambda: standings_of(redis).begin_away(LANE, 7, "turn"),
        lambda: standings_of(redis).remember(LANE, [PastMessage("user", "Hello?", MessageId("u1"), 1)]),
    ]
    moving = ("last_event_at", "marketplace_at", "tags_heard", "dnd_heard")
    for call in calls:
        call()
        before = snapshot(redis, without=moving)
        call()
        assert snapshot(redis, without=moving) == before
