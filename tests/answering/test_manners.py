"""Guards with real servers: when not to answer, checked before a completion and again before each post."""

from __future__ import annotations

import re
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge import flow
from bridge.answering.guarding import TOLD_COUNTS_SECONDS
from bridge.model import Channel, ContactUpdate, ConversationId, MessageId, OutboundMessage
from bridge.policy.guards import DEAF_AFTER
from bridge.store.lanes.outbound import outbound_fields
from bridge.store.lanes.standings import contact_args
from bridge.store.lanes.timelines import Timelines
from bridge.store.lanes.transcripts import MOST_CHARACTERS
from bridge.store.redis.connection import now_ms
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import prefix_of
from tests.keys import key
from tests.stored import (
    HERE,
    LANE,
    RETENTION_MS,
    accept,
    claim,
    dead_letters_of,
    due_ms,
    eventually,
    lanes_of,
    locations_of,
    message,
    pass_time,
    standings_of,
)
from tests.world import AGENCII, COMPLETE, CONTACT, LIST, POST, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

    from tests.world import World

HOUR = 3600
DAY_MS = 24 * HOUR * 1000
REPLIED = ("replied", "")
CONVERSATION = f"conversation-{LANE.contact_id}"
LONG = "Thank you for your message we will be back soon"
SHORT = {"sms_max_segments": 100}


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def observe(world: World, id_: str = "o1", text: str = "I take over", *, ago: int = 0, **fields: Any) -> None:
    """Let an event report an outbound message."""
    given: dict[str, Any] = {"conversation_id": ConversationId(CONVERSATION), "type": "TYPE_SMS", "user_id": "staff", **fields}
    at = now_ms(world.redis) - ago
    one = OutboundMessage(
        id=MessageId(id_), location_id=LANE.location_id, contact_id=LANE.contact_id, text=text, date_added_ms=at, **given
    )
    told = orjson.dumps([outbound_fields(one)])
    world.redis.register_script(script("observe"))(keys=[prefix_of(LANE)], args=[str(LANE), told, 1, RETENTION_MS, ""])


def update(world: World, **fields: Any) -> None:
    """Let an event report the contact's data."""
    told = ContactUpdate(location_id=LANE.location_id, contact_id=LANE.contact_id, at_ms=now_ms(world.redis), **fields)
    world.redis.register_script(script("contact"))(keys=[prefix_of(LANE)], args=contact_args(told, RETENTION_MS))


def says(world: World, id_: str, text: str, **fields: Any) -> list[str]:
    return accept(world.redis, message(id_, text=text, date_added_ms=now_ms(world.redis), **fields))


def human(world: World, **fields: Any) -> None:
    """Let GHL list a person's message without an event."""
    deaf(world)
    world.listed = [world.row("I take over", "o1", userId="staff", **fields)]


def deaf(world: World) -> None:
    """Let the location be one without any marketplace event."""
    world.redis.hdel(key("location", HERE), "marketplace_at")


def lose_lease(world: World) -> None:
    world.redis.hset(key("lane", str(LANE)), "lease", "another's")


def untag(world: World) -> None:
    world.contact = {}
    update(world, tags=())


def clock(world: World, hours: float) -> str:
    return time.strftime("%H:%M", time.gmtime(now_ms(world.redis) / 1000 + hours * HOUR))


def closed(world: World, **settings: Any) -> dict[str, Any]:
    """Settings of a location that opens in two hours."""
    return {"business_hours": (f"daily {clock(world, 2)}-{clock(world, 3)}",), **settings}


def facts(world: World, id_: str = "m1") -> str:
    timeline = Timelines(world.redis).find(id_)
    assert timeline
    return next(one.facts for one in timeline.messages if one.id == id_)


def capped(world: World) -> None:
    world.redis.zadd(key("replies", str(LANE)), {"t1": now_ms(world.redis)})


MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
# What forbids an answer: settings, what happens, the reason, and the facts that are told of it.
FORBIDDEN: dict[str, tuple[dict[str, Any], Callable[[World], object], str, str]] = {
    "a person, by event": ({}, observe, "human_takeover", rf"a person wrote o1 at {MOMENT}, takeover_seconds = 86400"),
    "a person, by reading": ({}, human, "human_takeover", rf"a person wrote o1 at {MOMENT}, takeover_seconds = 86400"),
    "a person, until resumed": (
        {"takeover_seconds": -1},
        observe,
        "human_takeover",
        rf"a person wrote o1 at {MOMENT}, until resumed \(takeover_seconds = -1\)",
    ),
    "a call that was talked": (
        {},
        lambda world: observe(world, text="", type="TYPE_CALL", call_seconds=90.0),
        "human_takeover",
        rf"a person called \(o1\) at {MOMENT}, takeover_seconds = 86400",
    ),
    "a call that was talked, by reading": (
        {},
        lambda world: human(world, messageType="TYPE_CALL", meta={"callDuration": "90", "callStatus": "completed"}),
        "human_takeover",
        rf"a person called \(o1\) at {MOMENT}, takeover_seconds = 86400",
    ),
    "a missed call, if each counts": (
        {"takeover_by_call": "always"},
        lambda world: observe(world, text="", type="TYPE_CALL"),
        "human_takeover",
        rf"a person called \(o1\) at {MOMENT}, takeover_seconds = 86400",
    ),
    "a workflow": (
        {"takeover_by_workflow": True},
        lambda world: observe(world, source="workflow"),
        "human_takeover",
        rf"an automation wrote o1 at {MOMENT}, takeover_seconds = 86400 \(takeover_by_workflow is on\)",
    ),
    "a workflow, by reading": (
        {"takeover_by_workflow": True},
        lambda world: human(world, source="workflow"),
        "human_takeover",
        rf"an automation wrote o1 at {MOMENT}, takeover_seconds = 86400 \(takeover_by_workflow is on\)",
    ),
    "a pause": (
        {},
        lambda world: standings_of(world.redis).pause(LANE.contact_id),
        "conversation_paused",
        rf"paused by an operator at {MOMENT}",
    ),
    "a stop": (
        {},
        lambda world: says(world, "s1", "STOP"),
        "stop_word",
        rf"the contact opted out of SMS at {MOMENT} \(stop_words\)",
    ),
    "a tag, by event": ({}, lambda world: update(world, tags=("AI_off",)), "off_tag", "has ai_off, one of off_tags"),
    "no tag, by event": (
        {"required_tags": ["vip"], "contact_lookup": True},
        untag,
        "missing_tag",
        "lacks vip, one of required_tags",
    ),
    "dnd, by event": ({}, lambda world: update(world, dnd=True), "dnd", "dnd is on for the contact"),
    "a channel, by event": ({}, lambda world: update(world, blocked_channels=("SMS",)), "dnd", "dndSettings block SMS"),
    "the cap": (
        {"max_replies_per_day": 1},
        capped,
        "reply_cap",
        rf"replies since {MOMENT}: 1, max_replies_per_day = 1",
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_forbids_an_answer_costs_nothing(world: World, name: str) -> None:
    """Every guard is checked before a completion is requested, and the timeline names its rule and the facts."""
    settings, happens, reason, told = FORBIDDEN[name]
    world.keep(**settings)
    world.contact = {"tags": ["vip"]}
    world.write()
    happens(world)
    world.work()
    assert (world.status(), world.asked(COMPLETE), world.posts()) == (("skipped", reason), [], [])
    assert re.fullmatch(told, facts(world)), facts(world)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_comes_while_the_completion_runs_stops_the_reply(world: World, name: str) -> None:
    """Every guard is checked again before the post, even though the completion was already requested."""
    settings, happens, reason, told = FORBIDDEN[name]
    world.keep(**settings)
    world.contact = {"tags": ["vip"]}
    world.meanwhile = lambda: happens(world)
    world.write()
    world.work()
    assert (world.status(), len(world.inputs()), world.posts()) == (("skipped", reason), 1, [])
    assert re.fullmatch(told, facts(world)), facts(world)


def test_an_event_after_a_slow_lease_is_newer_than_the_contact_that_was_read(world: World) -> None:
    """A Redis that took its time for the lease doesn't date GHL's answer into the future, past a tag that is removed then."""
    world.keep(required_tags=["vip"], contact_lookup=True)
    world.contact = {"tags": ["vip"]}
    world.meanwhile = lambda: untag(world)
    world.write()
    assert LANE in claim(lanes_of(world.redis))
    services = world.services()
    world.redis.client_pause(300)
    flow.answer(LANE, services)
    assert (world.status(), world.posts()) == (("skipped", "missing_tag"), [])


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_retried_and_a_replayed_post_ask_the_guards(world: World, name: str) -> None:
    """A rule that applies since the first attempt stops the second one, and the replay of a dead letter."""
    settings, happens, reason, _ = FORBIDDEN[name]
    world.keep(**settings)
    world.contact = {"tags": ["vip"]}
    world.refusing[POST] = 400
    world.write()
    world.work()
    dead_letters_of(world.redis).replay(world.dead_letter(), force=False)
    world.refusing[POST] = 429
    world.work()
    tried = len(world.posts())
    happens(world)
    world.refusing.clear()
    pass_time(world.redis, 2)
    world.work()
    assert (world.status(), len(world.posts())) == (("skipped", reason), tried)


NOBODYS_TYPES = (
    *("TYPE_CAMPAIGN_SMS", "TYPE_CAMPAIGN_EMAIL", "TYPE_CAMPAIGN_VOICEMAIL", "TYPE_CAMPAIGN_FACEBOOK", "TYPE_CAMPAIGN_GMB"),
    *("TYPE_CAMPAIGN_CALL", "TYPE_REVIEW", "TYPE_SMS_REVIEW_REQUEST", "TYPE_SMS_NO_SHOW_REQUEST", "TYPE_IVR_CALL"),
    *("TYPE_CALL", "TYPE_CUSTOM_CALL", "TYPE_VOICEMAIL"),
)


@pytest.mark.parametrize("type_", NOBODYS_TYPES)
@pytest.mark.parametrize("source", ["", "app", "something new"])
def test_what_no_person_did_takes_nothing_over(world: World, type_: str, source: str) -> None:
    """Campaigns, review requests, missed calls and voicemails are recognised by their types, whatever their source."""
    world.write()
    observe(world, type=type_, source=source, user_id="")
    world.work()
    assert (world.status(), len(world.posts())) == (REPLIED, 1)


@pytest.mark.parametrize("type_", NOBODYS_TYPES[:10])
def test_an_automatic_type_counts_where_automations_do(world: World, type_: str) -> None:
    """With `takeover_by_workflow` it counts like a workflow's message."""
    world.keep(takeover_by_workflow=True)
    world.write()
    observe(world, type=type_, user_id="")
    world.work()
    assert world.status() == ("skipped", "human_takeover")


@pytest.mark.parametrize(
    ("setting", "seconds", "taken"), [("never", 90.0, False), ("answered", 0.0, False), ("always", 90.0, True)]
)
def test_calls_count_as_the_location_wants(world: World, setting: str, seconds: float, *, taken: bool) -> None:
    """`takeover_by_call` decides: no calls, the answered ones, or all."""
    world.keep(takeover_by_call=setting)
    world.write()
    observe(world, text="", type="TYPE_CALL", call_seconds=seconds)
    world.work()
    assert (world.status()[0] == "skipped") is taken


# Message types that are not known here

NEW: dict[str, Any] = {"channel": Channel.UNKNOWN, "message_type": "New Chat", "message_type_string": "TYPE_NEW_CHAT"}


def test_a_type_that_is_mapped_is_answered_on_its_channel(world: World) -> None:
    """`types` of the location maps it; the provider gets that channel, and the reply is sent on it."""
    world.keep(types={"new chat": "WhatsApp"})
    world.write(**NEW)
    world.work()
    assert world.status() == REPLIED
    assert [document["type"] for path, document in world.calls if path == POST] == ["WhatsApp"]


def test_a_type_that_nothing_maps_is_told_with_its_name(world: World) -> None:
    """It is skipped before a completion is requested, and the reason names the setting to add."""
    world.write(**NEW)
    world.work()
    assert (world.status(), world.asked(COMPLETE)) == (("skipped", "unknown_type"), [])
    assert facts(world) == 'TYPE_NEW_CHAT is not known: types = { TYPE_NEW_CHAT = "SMS" } would answer it as SMS'


WEB_CHATS = ("TYPE_WEBCHAT", "TYPE_ALL_IN_ONE_CHAT")


@pytest.mark.parametrize("name", WEB_CHATS)
def test_a_web_chat_that_ghl_refuses_names_the_cure(world: World, name: str) -> None:
    """Live chat was only inferred: the dead letter names `types`, and with that setting the next one is sent elsewhere."""
    chat = {"channel": Channel.LIVE_CHAT, "message_type": "Live_Chat", "message_type_string": name}
    world.refusing[POST] = 400
    world.write("m1", **chat)
    world.work()
    assert world.status("m1") == ("dead", "")
    (dead,) = [event for event in world.events() if event.step == "dead"]
    assert f'types = {{ {name} = "SMS" }}' in dead.details["error"]
    world.refusing.clear()
    world.keep(types={name: "SMS"})
    dead_letters_of(world.redis).replay(world.dead_letter(), force=False)
    world.work()
    assert world.status("m1") == REPLIED
    assert [document["type"] for path, document in world.calls if path == POST] == ["Live_Chat", "SMS"]


@pytest.mark.parametrize(("type_", "status"), [("TYPE_LIVE_CHAT", 400), ("TYPE_WEBCHAT", 401)])
def test_other_refusals_name_no_type(world: World, type_: str, status: int) -> None:
    """Neither a channel that is certain nor a refused token leads to a hint about `types`."""
    world.refusing[POST] = status
    world.write("m1", channel=Channel.LIVE_CHAT, message_type="Live_Chat", message_type_string=type_)
    world.work()
    (dead,) = [event for event in world.events() if event.step == "dead"]
    assert "types =" not in dead.details["error"]


def test_a_stop_by_an_unknown_type_holds_on_every_channel(world: World) -> None:
    """Its channel is not known, so the opt-out counts for all channels."""
    says(world, "m1", "STOP", **NEW)
    world.write("m2")
    world.work()
    assert world.status("m2") == ("skipped", "stop_word")


# Facts of the rules that look at the message alone

ALONE: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "off": ({"mode": "off"}, {}, "location_paused", "mode = off"),
    "channel": ({"channels": ["FB"]}, {}, "channel_off", r"SMS is not among channels"),
    "gmb": ({"channels": ["GMB"]}, {"channel": Channel.GMB}, "channel_off", r"GHL accepts no replies to GMB"),
    "ignored file": (
        {"media": "ignore"},
        {"text": " ", "attachments": ("https://secret/1.jpg",)},
        "blank",
        "no text, 1 picture, media = ignore",
    ),
    "contact card": ({}, {"text": "", "attachments": ("https://secret/1.vcf",)}, "blank", "no text, nothing but 1 contact card"),
    "reaction": ({}, {"text": "Liked “secret”"}, "blank", "nothing but a reaction to a message"),
    "auto reply": (
        {"channels": ["Email"]},
        {"channel": Channel.EMAIL, "subject": "Out of office: secret"},
        "auto_reply",
        "by the rule absence subject",
    ),
    "too old": ({}, {"date_added_ms": -3 * DAY_MS}, "too_old", r"259\d\d\d s old, max_age_seconds = 21600"),
    "too late": (
        {"max_age_seconds": 7 * 24 * HOUR},
        {"channel": Channel.WHATSAPP, "date_added_ms": -25 * HOUR * 1000},
        "too_old",
        "25.0 h after the contact's last message, WhatsApp accepts replies for 24 h",
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_rule_tells_its_setting_and_no_content(world: World, name: str) -> None:
    """Reasons are plain English and never contain the text of a message."""
    settings, fields, reason, told = ALONE[name]
    world.keep(**settings)
    if "date_added_ms" in fields:
        fields = {**fields, "date_added_ms": now_ms(world.redis) + fields["date_added_ms"]}
    world.write(**{"text": "a secret", **fields})
    world.work()
    assert (world.status(), world.asked(COMPLETE)) == (("skipped", reason), [])
    assert re.fullmatch(told, facts(world)), facts(world)
    assert "secret" not in facts(world)


def test_doors_tell_their_facts(world: World) -> None:
    """A stop, an overflow, an operator's drop and a text answered together with a newer message name their facts."""
    world.refusing[POST] = 400
    world.write("m1")
    world.work()
    world.write("m2")
    world.work()
    id_ = world.dead_letter()
    dead_letters_of(world.redis).drop([id_])
    assert says(world, "m3", "stop") == ["stop_word"]
    assert facts(world, "m1") == "asked about together with the newer message m2"
    assert facts(world, "m2") == f"an operator dropped dead letter {id_}"
    assert facts(world, "m3") == "the whole message is one of stop_words; SMS stopped until the contact writes START"


# Consent


def test_a_start_lifts_a_stop(world: World) -> None:
    """Between STOP and START nothing is sent on the channel; after START it is."""
    world.write("m1")
    says(world, "m2", "Stop.")
    world.work()
    world.write("m3")
    world.work()
    world.write("m4", text="START")
    world.work()
    assert [world.status(f"m{n}") for n in (1, 2, 3, 4)] == [*[("skipped", "stop_word")] * 3, REPLIED]
    assert len(world.posts()) == 1


def test_a_stop_on_one_channel_leaves_the_others(world: World) -> None:
    """A contact that opted out of SMS is answered on WhatsApp."""
    says(world, "m1", "STOP")
    world.write("m2", channel=Channel.WHATSAPP, message_type_string="TYPE_WHATSAPP")
    world.work()
    assert world.status("m2") == REPLIED


def test_a_stop_between_the_guards_and_the_wire_is_heeded(world: World) -> None:
    """A stop after the last read of the standing is noticed by the ledger, and the guards are checked again."""
    # Read before the completion, for the history, and before the post.
    world.during[LIST, 3] = lambda: says(world, "s1", "STOP")
    world.write()
    deaf(world)
    world.work()
    assert (len(world.asked(LIST)), world.status(), world.posts()) == (3, ("skipped", "stop_word"), [])


def test_a_harmless_change_before_the_wire_sends_all_the_same(world: World) -> None:
    """After a harmless change the guards are checked again, and the reply is sent."""
    world.during[LIST, 3] = lambda: update(world, tags=("vip",))
    world.write()
    deaf(world)
    world.work()
    assert (world.status(), world.posts()) == (REPLIED, ["answer 1"])


@pytest.mark.parametrize("path", [CONTACT, LIST])
def test_what_can_not_be_looked_up_is_no_permission(world: World, path: str) -> None:
    """A failed look-up is retried before a completion is requested."""
    world.keep(contact_lookup=True)
    world.refusing[path] = 500
    world.write()
    deaf(world)
    world.work()
    assert (world.status()[0], world.asked(COMPLETE)) == ("retrying", [])
    world.refusing.clear()
    pass_time(world.redis, 2)
    world.work()
    assert world.status() == REPLIED


def test_an_event_beats_a_look_up_that_was_begun_before_it(world: World) -> None:
    """The event removed the tag before the post, although the older look-up still counts for other fields."""
    world.keep(contact_lookup=True)
    world.meanwhile = lambda: update(world, tags=("ai_off",))
    world.write()
    world.work()
    assert (world.status(), len(world.asked(CONTACT))) == (("skipped", "off_tag"), 1)


# Takeover


def test_silence_ends_by_itself_and_what_was_said_is_history(world: World) -> None:
    """Messages during the takeover are not answered; the provider gets them as history, with the person as the business."""
    world.keep(takeover_seconds=100)
    over = now_ms(world.redis) + 3_000
    observe(world, "o1", "Hi, it is Ann", ago=97_000)
    world.write("m1")
    world.work()
    assert world.status("m1") == ("skipped", "human_takeover")
    eventually(lambda: now_ms(world.redis) > over)
    world.write("m2")
    world.work()
    assert world.status("m2") == REPLIED
    assert world.asked(COMPLETE)[0]["messages"] == [
        {"role": "assistant", "content": "Hi, it is Ann"},
        {"role": "user", "content": "text of m1"},
    ]


def test_a_location_that_hears_events_reads_nothing(world: World) -> None:
    """GHL's list is read only if no event reports who else writes."""
    world.keep(history_messages=0)
    observe(world, "o1", ago=2 * DAY_MS)
    world.write()
    world.work()
    assert (world.status(), world.asked(LIST)) == (REPLIED, [])


def test_events_that_never_tell_of_a_reply_tell_of_nobody(world: World) -> None:
    """An app without OutboundMessage reports no persons, so GHL's list is read as without events."""
    world.keep(history_messages=0)
    world.redis.hset(key("location", HERE), mapping={"marketplace_at": now_ms(world.redis), "unheard": DEAF_AFTER})
    world.listed = [world.row("I take over", "o1", userId="staff")]
    world.write()
    world.work()
    assert (world.status(), len(world.asked(LIST))) == (("skipped", "human_takeover"), 1)


def test_takeover_off_reads_nothing(world: World) -> None:
    """With `takeover_seconds = 0` persons and the bridge write side by side."""
    world.keep(history_messages=0, takeover_seconds=0)
    human(world)
    world.write()
    world.work()
    assert (world.status(), world.asked(LIST)) == (REPLIED, [])


def test_our_own_replies_are_read_as_ours(world: World) -> None:
    """The next turn recognises the bridge's reply in GHL's list by its id, whatever its text there."""
    world.write("m1")
    world.work()
    world.listed = [world.row("rewritten by GHL", "r1")]
    world.write("m2")
    world.work()
    assert world.status("m2") == REPLIED


@pytest.mark.parametrize(("early", "claims"), [(True, True), (True, False), (False, True)])
def test_what_a_provider_delivers_is_not_posted_again(world: World, *, early: bool, claims: bool) -> None:
    """Its echo, before or after the answer, with or without a claim, is neither doubled nor a takeover."""
    world.keep(assistable={"delivery": "auto"}, history_messages=0)
    world.completion = {"message": {"messageId": "g1"}} if claims else {}
    world.write("m1")
    if early:
        world.meanwhile = partial(observe, world, "g1", "answer 1", user_id="")
    world.work(readback=(60.0,))
    if not early:
        observe(world, "g1", "answer 1", user_id="")
        world.work(readback=(60.0,))
    assert (world.status("m1")[0], world.posts()) == ("delivered_by_provider", [])
    assert standings_of(world.redis).said(LANE, 9)[-1].content == "answer 1"
    world.completion = {}
    world.write("m2")
    world.work()
    assert (world.status("m2"), world.posts()) == (REPLIED, ["answer 2"])


# Parts


def paragraphs(count: int) -> str:
    """An answer that needs this many SMS parts."""
    return "\n\n".join(f"Part {number} " + "word " * 200 for number in range(count))


def test_a_long_answer_goes_out_in_parts_in_order(world: World) -> None:
    """Each part has its own ledger entry, and all ids belong to the message."""
    world.keep(**SHORT)
    world.completion = {"output": paragraphs(3)}
    world.write()
    world.work()
    assert [post[:6] for post in world.posts()] == ["Part 0", "Part 1", "Part 2"]
    timeline = Timelines(world.redis).find("r3")
    assert timeline
    assert timeline.messages[0].reply_ids == ("r1", "r2", "r3")
    assert world.redis.zcard(key("replies", str(LANE))) == 1


@pytest.mark.parametrize("change", [{}, {"sms_max_segments": 1}, {"mode": "draft"}])
def test_after_a_crash_only_the_missing_parts_are_sent(world: World, change: dict[str, Any]) -> None:
    """The missing parts are sent in order, and split as the first time, even if the settings have changed."""
    world.keep(**SHORT, history_messages=0)
    world.completion = {"output": paragraphs(3)}
    # The lease is lost while the guards look before the second part: as if the worker had died there.
    world.during[LIST, 3] = partial(lose_lease, world)
    world.write()
    deaf(world)
    world.work()
    assert len(world.posts()) == 1
    world.during.clear()
    world.keep(**{**SHORT, "history_messages": 0, **change})
    pass_time(world.redis, 1001)
    world.work()
    assert [post[:6] for post in world.posts()] == ["Part 0", "Part 1", "Part 2"]
    assert (len(world.inputs()), world.status()) == (1, REPLIED)


def test_a_part_of_unknown_outcome_is_looked_for_before_the_rest(world: World) -> None:
    """A part that is found is not sent again, and the rest follows."""
    world.keep(**SHORT, history_messages=0)
    world.completion = {"output": paragraphs(2)}
    world.refusing[POST] = 500
    world.write()
    world.work(readback=(0.0,))
    world.refusing.clear()
    world.listed = [world.row(world.posts()[0], "g1")]
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert ([post[:6] for post in world.posts()], world.status()) == (["Part 0", "Part 1"], REPLIED)


def test_a_stop_after_the_first_part_keeps_the_rest_back(world: World) -> None:
    """The message counts as replied to, and the reason says why parts are missing."""
    world.keep(**SHORT, history_messages=0)
    world.completion = {"output": paragraphs(3)}
    world.during[POST, 1] = lambda: says(world, "s1", "STOP")
    world.write()
    world.work()
    assert (world.status(), len(world.posts())) == (("replied", "stop_word"), 1)
    assert "stop_words" in facts(world)


def test_closing_time_does_not_cut_an_answer_in_half(world: World) -> None:
    """An answer that was begun during business hours is sent completely."""
    world.keep(**SHORT)
    world.completion = {"output": paragraphs(2)}
    world.during[POST, 1] = lambda: world.keep(**SHORT, **closed(world))
    world.write()
    world.work()
    assert (world.status(), len(world.posts())) == (REPLIED, 2)


def test_a_receipt_without_an_id_is_a_reply_too(world: World) -> None:
    """A first part that GHL accepted counts as sent, even if its answer contains no id."""
    world.keep(**SHORT, history_messages=0)
    world.completion = {"output": paragraphs(2)}
    world.receipt = {}
    world.during[POST, 1] = lambda: says(world, "s1", "STOP")
    world.write()
    world.work()
    assert world.status() == ("replied", "stop_word")


def test_what_is_cut_off_is_told(world: World) -> None:
    """Above `sms_max_segments` the answer ends with a complete sentence, and the timeline says so."""
    world.keep(sms_max_segments=1)
    world.completion = {"output": "This is a sentence. " * 40}
    world.write()
    world.work()
    assert len(world.posts()[0]) <= 160
    assert [event.details.get("shortened") for event in world.events() if event.step == "sending"] == [True]


def test_a_draft_is_one_comment_and_no_history(world: World) -> None:
    """Staff sees the whole answer as it was written; the contact has not seen it."""
    world.keep(mode="draft")
    world.completion = {"output": f"**Bold** {paragraphs(3)}"}
    world.write()
    world.work()
    (posted,) = world.asked(POST)
    assert (posted["type"], posted["message"][:8]) == ("InternalComment", "**Bold**")
    assert [one.role for one in standings_of(world.redis).said(LANE, 9)] == ["user"]


def test_a_draft_that_staff_sends_as_it_is_is_in_the_history(world: World) -> None:
    """After that the contact knows it, and the next question contains it; another report by GHL changes nothing."""
    world.keep(mode="draft")
    world.write()
    world.work()
    observe(world, "r1", "answer 1", type="TYPE_INTERNAL_COMMENT", user_id="")
    for _ in range(2):
        observe(world, "o1", "answer 1")
    said = [(one.role, one.content) for one in standings_of(world.redis).said(LANE, 9)]
    assert said == [("user", "text of m1"), ("assistant", "answer 1")]


def test_a_draft_that_is_found_in_the_conversation_is_no_history(world: World) -> None:
    """If the post's answer was lost and the comment is found, the contact has not seen it."""
    world.keep(mode="draft")
    world.write()
    world.refusing[POST] = 500
    world.work(readback=(0.0,))
    world.refusing.clear()
    world.listed = [world.row("answer 1", "r9", messageType="TYPE_INTERNAL_COMMENT")]
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (world.status(), len(world.posts())) == (REPLIED, 1)
    assert [one.role for one in standings_of(world.redis).said(LANE, 9)] == ["user"]


@pytest.mark.parametrize("spoken", [observe, human], ids=["by event", "by reading"])
def test_who_answers_a_draft_in_other_words_gets_the_next_draft(world: World, spoken: Callable[[World], object]) -> None:
    """In draft mode a person always answers; that stops no draft, because a draft talks over nobody."""
    world.keep(mode="draft", takeover_seconds=-1)
    world.write()
    world.work()
    world.write("m2")
    spoken(world)
    world.work()
    assert ([posted["type"] for posted in world.asked(POST)], world.status("m2")) == (["InternalComment"] * 2, REPLIED)


def test_who_answers_while_a_draft_is_written_gets_it_all_the_same(world: World) -> None:
    """The draft is posted; a conversation taken over in live mode gets drafts too, and in live mode again it is the person's."""
    world.write()
    world.meanwhile = lambda: observe(world)
    world.work()
    assert world.status() == ("skipped", "human_takeover")
    world.keep(mode="draft")
    world.write("m2")
    world.meanwhile = lambda: observe(world, "o2", "I said it")
    world.work()
    assert (world.asked(POST)[0]["type"], world.status("m2")) == ("InternalComment", REPLIED)
    world.keep(mode="live")
    world.write("m3")
    world.work()
    assert world.status("m3") == ("skipped", "human_takeover")


@pytest.mark.parametrize("name", [name for name, (_, _, reason, _) in FORBIDDEN.items() if reason != "human_takeover"])
def test_all_else_forbids_a_draft_too(world: World, name: str) -> None:
    """A pause, STOP, tags, do-not-disturb and the cap forbid drafts too, before a completion is requested."""
    settings, happens, reason, _ = FORBIDDEN[name]
    world.keep(mode="draft", **settings)
    world.contact = {"tags": ["vip"]}
    world.write()
    happens(world)
    world.work()
    assert (world.status(), world.asked(COMPLETE), world.posts()) == (("skipped", reason), [], [])


def test_an_email_is_html_and_remembered_in_plain_words(world: World) -> None:
    """Markdown becomes HTML for the contact; the history contains it as plain text."""
    world.keep(channels=["Email"])
    world.completion = {"output": "Hello **you**\n\n- one\n- two"}
    fields = {"channel": Channel.EMAIL, "message_type": "Email", "message_type_string": "TYPE_EMAIL", "subject": "Hi"}
    world.write(**fields, email_message_id="m1", thread_id="t1")
    world.work()
    (posted,) = world.asked(POST)
    assert "<strong>you</strong>" in posted["html"]
    assert "<li>one</li>" in posted["html"]
    assert standings_of(world.redis).said(LANE, 9)[-1].content == "Hello **you**\n\n- one\n- two"


def unheard(world: World) -> int:
    """The number of replies since the last event that reported one."""
    kept = locations_of(world.redis).get(HERE)
    assert kept
    return kept.unheard


def test_replies_that_no_event_tells_of_are_counted(world: World) -> None:
    """If events report no replies, they would report no persons either; an event or new settings reset the count."""
    for number in range(3):
        world.write(f"m{number}")
        world.work()
    assert unheard(world) == 3
    observe(world, "r1", "answer 1", user_id="")
    assert unheard(world) == 0
    world.write("m3")
    world.work()
    assert unheard(world) == 1
    world.keep(history_messages=0)
    assert unheard(world) == 0


# Hours


def test_away_is_said_once_in_a_closed_span(world: World) -> None:
    """However often the contact writes, each message is skipped, and the away message is no reply."""
    world.keep(**closed(world, outside_hours="away", away_message="We open at nine."))
    for id_ in ("m1", "m2"):
        world.write(id_)
        world.work()
        assert world.status(id_) == ("skipped", "outside_hours")
        assert re.fullmatch(rf"closed until {MOMENT}, outside_hours = away", facts(world, id_))
    assert (world.posts(), world.asked(COMPLETE), world.redis.exists(key("replies", str(LANE)))) == (["We open at nine."], [], 0)


@pytest.mark.parametrize("before", [True, False])
def test_a_crash_neither_loses_nor_doubles_an_away_message(world: World, *, before: bool) -> None:
    """If the worker dies before the post or just after it, the away message is sent once."""
    world.keep(**closed(world, outside_hours="away", away_message="We open at nine."))
    world.during[(LIST, 2) if before else (POST, 1)] = partial(lose_lease, world)
    world.write()
    deaf(world)
    world.work()
    assert world.posts() == ([] if before else ["We open at nine."])
    world.during.clear()
    pass_time(world.redis, 1001)
    world.work()
    assert (world.posts(), world.status()) == (["We open at nine."], ("skipped", "outside_hours"))


def test_an_away_message_that_could_not_be_sent_is_tried_again(world: World) -> None:
    """After a temporary fault the contact still gets the message."""
    world.keep(**closed(world, outside_hours="away", away_message="We open at nine."))
    world.refusing[POST] = 429
    world.write()
    world.work()
    tried = len(world.posts())
    world.refusing.clear()
    pass_time(world.redis, 2)
    world.work()
    assert (len(world.posts()), world.status()) == (tried + 1, ("skipped", "outside_hours"))


def test_whoever_is_not_answered_before_it_closes_is_told_so(world: World) -> None:
    """If the answer is too late to be sent, the away message is sent."""
    world.meanwhile = lambda: world.keep(**closed(world, outside_hours="away", away_message="We open at nine."))
    world.write()
    world.work()
    assert (world.posts(), world.status()) == (["We open at nine."], ("skipped", "outside_hours"))


def test_deferred_messages_wait_for_the_opening(world: World) -> None:
    """All deferred messages are answered together, and the wait does not count as an attempt."""
    world.keep(**closed(world, outside_hours="defer"))
    world.write("m1")
    world.work()
    assert world.status("m1") == ("waiting", "")
    due = due_ms(world.redis)
    assert due
    assert 1.9 * HOUR * 1000 < due - now_ms(world.redis) < 2.1 * HOUR * 1000
    world.write("m2")
    assert due_ms(world.redis) == due
    world.keep()
    pass_time(world.redis, 2.1 * HOUR)
    world.work()
    assert (world.inputs(), world.status("m1"), world.status("m2")) == (["text of m1\ntext of m2"], REPLIED, REPLIED)


def test_a_stop_ends_what_is_deferred(world: World) -> None:
    """A stop ends deferred messages at once, not at the opening."""
    world.keep(**closed(world, outside_hours="defer"))
    world.write("m1")
    world.work()
    says(world, "m2", "stop")
    world.work()
    assert world.status("m1") == ("skipped", "stop_word")


# Loops and caps


def test_the_cap_counts_replies_of_a_day(world: World) -> None:
    """Two replies are sent, the third is skipped; a day later replies are allowed again."""
    world.keep(max_replies_per_day=2)
    for number in range(3):
        world.write(f"m{number}")
        world.work()
    assert [world.status(f"m{number}")[0] for number in range(3)] == ["replied", "replied", "skipped"]
    pass_time(world.redis, 24 * HOUR)
    world.write("m4")
    world.work()
    assert world.status("m4") == REPLIED


def test_our_own_words_coming_back_are_a_loop(world: World) -> None:
    """A machine that repeats the bridge's text is not answered, and the facts name the reply."""
    world.completion = {"output": LONG}
    world.write("m1")
    world.work()
    world.write("m2", text=LONG.upper())
    world.work()
    assert (world.status("m2"), len(world.inputs())) == (("skipped", "loop"), 1)
    assert facts(world, "m2") == "the contact sent the text of our reply r1"


def test_a_reaction_to_our_reply_is_no_question(world: World) -> None:
    """A few words in any language around the bridge's last text are skipped, alone or in a burst; the rest is answered."""
    world.completion = {"output": "**Wir** öffnen um neun."}
    world.write("m1")
    world.work()
    world.write("m2", text="Gefiel „Wir öffnen um neun.“")
    world.write("m3", text="Und am Samstag?")
    world.work()
    assert (world.status("m2"), world.status("m3"), len(world.inputs())) == (("skipped", "blank"), REPLIED, 2)
    assert facts(world, "m2") == "nothing but a reaction to our reply r1"


def test_the_same_words_again_and_again_are_a_loop(world: World) -> None:
    """A sentence is answered twice within an hour, and not a third time."""
    for number in range(3):
        world.write(f"m{number}", text=LONG)
        world.work()
    assert [world.status(f"m{number}")[1] for number in range(3)] == ["", "", "loop"]
    assert facts(world, "m2") == "the same text 3 times within an hour"


# History


def test_history_is_our_own_record(world: World) -> None:
    """The history has earlier turns, oldest first, without the current question."""
    for number in range(3):
        world.write(f"m{number}")
        world.work()
        time.sleep(0.2)  # our clock is ahead of Redis' by as much as the lease's round trip took
    told = world.asked(COMPLETE)[2]["messages"]
    assert [one["content"] for one in told] == ["text of m0", "answer 1", "text of m1", "answer 2"]
    assert [one["role"] for one in told] == ["user", "assistant"] * 2


def test_a_short_record_is_topped_up_from_ghl_once(world: World) -> None:
    """It gets the conversation before the bridge was installed, without the turn's own message and without comments."""
    observe(world, "o0", ago=2 * DAY_MS, type="InternalComment")
    old = now_ms(world.redis) - 3 * DAY_MS
    world.listed = [
        world.row("text of m1", "m1", direction="inbound"),
        world.row("a comment", "c1", messageType="TYPE_INTERNAL_COMMENT"),
        world.row("See you", "p1", userId="staff", dateAdded=old + 1),
        world.row("Hello?", "u1", direction="inbound", dateAdded=old),
    ]
    for id_ in ("m1", "m2"):
        world.write(id_)
        world.work()
    first, second = (one["messages"] for one in world.asked(COMPLETE))
    assert first == [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "See you"}]
    assert [one["content"] for one in second] == ["Hello?", "See you", "text of m1", "answer 1"]
    assert len(world.asked(LIST)) == 1


def test_history_just_listed_is_as_history_on_record(world: World) -> None:
    """It has the same length and the same order if dates are equal, so every turn gives the provider the same history."""
    at = now_ms(world.redis) - 100_000
    world.listed = [
        world.row(f" u{number} {'x' * 9000}", f"u{number}", direction="inbound", dateAdded=at) for number in (3, 2, 1)
    ]
    for id_ in ("m1", "m2"):
        world.write(id_)
        world.work()
    first, second = ([one["content"] for one in asked["messages"]] for asked in world.asked(COMPLETE))
    assert first == second[:3] == [f"u{number} {'x' * 9000}"[:MOST_CHARACTERS] for number in (1, 2, 3)]


def test_an_answer_that_knows_less_is_better_than_none(world: World) -> None:
    """If GHL can't be read, the answer has less history, and the next turn asks GHL for it."""
    observe(world, "o0", ago=2 * DAY_MS, type="InternalComment")
    world.refusing[LIST] = 500
    world.write("m1")
    world.work()
    assert (world.status("m1"), world.asked(COMPLETE)[0]["messages"]) == (REPLIED, [])
    world.refusing.clear()
    world.listed = [world.row("Hello?", "u1", direction="inbound", dateAdded=now_ms(world.redis) - DAY_MS)]
    world.write("m2")
    world.work()
    assert world.asked(COMPLETE)[1]["messages"][0]["content"] == "Hello?"


def test_how_things_stood_a_second_ago_is_looked_at_again(world: World) -> None:
    """After a slow read from GHL the location's data in the lease is too old: the guards read it again."""
    world.keep(assistable={"delivery": "auto"}, takeover_seconds=0, history_messages=0)
    world.completion = {"message": {"messageId": "g1"}}

    def pause() -> None:
        locations_of(world.redis).pause(HERE, paused=True)
        time.sleep(TOLD_COUNTS_SECONDS + 0.1)

    world.during[LIST, 1] = pause
    world.write("m1")
    world.work(readback=(0.3,))
    pass_time(world.redis, 2)
    time.sleep(0.3)
    world.work(readback=(0.3,))
    assert (world.status("m1"), world.posts(), len(world.asked(LIST))) == (("skipped", "location_paused"), [], 1)


def test_ghl_is_not_read_for_a_provider_that_remembers_by_itself(world: World) -> None:
    """Agencii stores a chat per conversation, so it gets no earlier messages."""
    world.keep(provider="agencii")
    world.listed = [world.row("Hello?", "u1", direction="inbound", dateAdded=now_ms(world.redis) - DAY_MS)]
    observe(world, "o0", ago=2 * DAY_MS, type="InternalComment")
    world.write("m1")
    world.work()
    assert (world.status("m1"), world.asked(LIST), len(world.asked(AGENCII))) == (REPLIED, [], 1)


@pytest.mark.parametrize(("count", "told"), [(0, []), (1, ["answer 1"]), (2, ["text of m0", "answer 1"])])
def test_history_is_as_long_as_the_location_wants(world: World, count: int, told: list[str]) -> None:
    """It has the newest `history_messages` messages; 0 means none."""
    world.keep(history_messages=count)
    for number in range(2):
        world.write(f"m{number}")
        world.work()
    assert [one["content"] for one in world.asked(COMPLETE)[1]["messages"]] == told
