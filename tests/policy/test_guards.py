"""Guards: the reasons not to answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bridge.locations import Location
from bridge.model import FORM_SUBMISSION, Channel, Contact, ContactId, Reason, Standing
from bridge.policy.business_hours import read
from bridge.policy.guards import age_of, judge_contact, judge_message, judge_standing, judge_turn, merge, needs_contact
from tests.stored import message

if TYPE_CHECKING:
    from bridge.model import InboundMessage, Skip

NOW_MS = 1_800_000_000_000
SECOND = 1000
EVERYTHING = tuple(channel for channel in Channel if channel is not Channel.UNKNOWN)


def location(**settings: Any) -> Location:
    return Location(id="here", **settings)


def contact(*tags: str, dnd: bool = False, blocked: tuple[str, ...] = ()) -> Contact:
    return Contact(id=ContactId("contact"), tags=frozenset(tags), dnd=dnd, blocked_channels=frozenset(blocked))


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def judge(one: InboundMessage, where: Location) -> Skip | None:
    return judge_message(one, where, age_seconds=age_of(one, now_ms=NOW_MS))


@pytest.mark.parametrize(
    ("fields", "settings", "reason"),
    [
        ({}, {}, None),
        ({}, {"mode": "draft"}, None),
        ({}, {"mode": "off"}, Reason.LOCATION_PAUSED),
        ({"channel": Channel.EMAIL}, {}, Reason.CHANNEL_OFF),
        ({"channel": Channel.EMAIL}, {"channels": (Channel.EMAIL,)}, None),
        ({}, {"channels": (Channel.EMAIL,)}, Reason.CHANNEL_OFF),
        ({}, {"channels": ()}, Reason.CHANNEL_OFF),
        ({"channel": Channel.CUSTOM}, {}, None),
        ({"channel": Channel.GMB}, {"channels": EVERYTHING}, Reason.CHANNEL_OFF),
        ({"channel": Channel.UNKNOWN, "message_type_string": "TYPE_NEW"}, {"channels": EVERYTHING}, Reason.UNKNOWN_TYPE),
        ({"channel": Channel.UNKNOWN, "message_type_string": FORM_SUBMISSION}, {}, Reason.NOT_A_MESSAGE),
        ({"channel": Channel.RCS}, {}, Reason.CHANNEL_OFF),
        ({"channel": Channel.TIKTOK}, {}, Reason.CHANNEL_OFF),
        ({"channel": Channel.TIKTOK}, {"channels": (Channel.TIKTOK,)}, None),
        ({"text": ""}, {}, Reason.BLANK),
        ({"text": " \n\t\u00a0"}, {}, Reason.BLANK),
        ({"text": "", "attachments": ("https://x/1.jpg",)}, {}, None),
        ({"text": "", "attachments": ("https://x/1",)}, {}, None),
        ({"text": "", "attachments": ("https://x/1.jpg",)}, {"media": "ignore"}, Reason.BLANK),
        ({"text": "", "attachments": ("https://x/card.vcf",)}, {}, Reason.BLANK),
        ({"text": "", "attachments": ("https://x/1.webp",), "channel": Channel.WHATSAPP}, {}, Reason.BLANK),
        ({"text": "", "attachments": ("https://x/1.webp",)}, {}, None),
        ({"text": "", "attachments": ("https://x/card.vcf", "https://x/1.ogg")}, {}, None),
        ({"text": "Liked “See you at 5”", "attachments": ("https://x/1.jpg",)}, {}, Reason.BLANK),
        ({"text": "🙂"}, {}, None),
        ({"text": "Liked “See you at 5”"}, {}, Reason.BLANK),
        ({"channel": Channel.EMAIL, "subject": "Out of office"}, {"channels": EVERYTHING}, Reason.AUTO_REPLY),
        ({"channel": Channel.EMAIL, "sender": "no-reply@x.com", "text": ""}, {"channels": EVERYTHING}, Reason.AUTO_REPLY),
        ({"channel": Channel.EMAIL, "subject": "Out of office"}, {}, Reason.CHANNEL_OFF),
        ({"subject": "Out of office", "sender": "no-reply@x.com"}, {}, None),
        ({"date_added_ms": NOW_MS - 21_600 * SECOND}, {}, None),
        ({"date_added_ms": NOW_MS - 21_601 * SECOND}, {}, Reason.TOO_OLD),
        ({"date_added_ms": NOW_MS - 2 * SECOND}, {"max_age_seconds": 1.5}, Reason.TOO_OLD),
        ({"date_added_ms": NOW_MS - 1 * SECOND}, {"max_age_seconds": 1.5}, None),
        ({"date_added_ms": NOW_MS + 3600 * SECOND}, {"max_age_seconds": 0}, None),
        ({"date_added_ms": 0}, {"max_age_seconds": 1}, None),
        ({"text": "", "channel": Channel.EMAIL}, {"mode": "off"}, Reason.LOCATION_PAUSED),
    ],
)
def test_a_message_is_judged_by_itself(fields: dict[str, Any], settings: dict[str, Any], reason: Reason | None) -> None:
    """Mode, channel, author, text and age decide, in this order; a message without a date is never too old."""
    skip = judge(message(**{"date_added_ms": NOW_MS, **fields}), location(**settings))
    assert (skip.reason if skip else None) == reason


GOOD, REACTION, EMPTY = {"text": "My tooth hurts"}, {"text": "Liked “See you at 5”"}, {"text": ""}


@pytest.mark.parametrize(
    ("burst", "age", "settings", "reason"),
    [
        ([GOOD], 0, {}, None),
        ([REACTION], 0, {}, Reason.BLANK),
        ([GOOD, REACTION], 0, {}, None),
        ([REACTION, GOOD], 0, {}, None),
        ([REACTION, EMPTY], 0, {}, Reason.BLANK),
        ([GOOD, REACTION], 0, {"mode": "off"}, Reason.LOCATION_PAUSED),
        ([GOOD, REACTION], 0, {"channels": ()}, Reason.CHANNEL_OFF),
        ([REACTION], 99, {"max_age_seconds": 9}, Reason.BLANK),
        ([GOOD, REACTION], 99, {"max_age_seconds": 9}, Reason.TOO_OLD),
    ],
)
def test_a_reply_to_a_burst_is_not_dropped_for_its_last_words(
    burst: list[dict[str, str]], age: float, settings: dict[str, Any], reason: Reason | None
) -> None:
    """Content forbids a turn only if it forbids each message; channel and age are the newest one's."""
    skip = judge_turn([message(**one) for one in burst], location(**settings), age_seconds=age)
    assert (skip.reason if skip else None) == reason


@pytest.mark.parametrize(
    ("who", "channel", "settings", "reason"),
    [
        (contact(), Channel.SMS, {}, None),
        (contact(dnd=True), Channel.SMS, {}, Reason.DND),
        (contact(dnd=True), Channel.LIVE_CHAT, {}, Reason.DND),
        (contact(blocked=("SMS",)), Channel.SMS, {}, Reason.DND),
        (contact(blocked=("Email", "WhatsApp")), Channel.SMS, {}, None),
        (contact(blocked=("WhatsApp",)), Channel.WHATSAPP, {}, Reason.DND),
        (contact("ai_off"), Channel.SMS, {}, Reason.OFF_TAG),
        (contact("vip", " AI_Off "), Channel.SMS, {}, Reason.OFF_TAG),
        (contact("ai_off"), Channel.SMS, {"off_tags": ()}, None),
        (contact("ÜBERGABE"), Channel.SMS, {"off_tags": ("übergabe",)}, Reason.OFF_TAG),
        (contact("ai_offline"), Channel.SMS, {}, None),
        (contact(), Channel.SMS, {"required_tags": ("ai_test",)}, Reason.MISSING_TAG),
        (contact("AI_TEST"), Channel.SMS, {"required_tags": ("ai_test",)}, None),
        (contact("a"), Channel.SMS, {"required_tags": ("a", "b")}, Reason.MISSING_TAG),
        (contact("a", "b", "c"), Channel.SMS, {"required_tags": ("a", "B")}, None),
        (contact("a", "ai_off"), Channel.SMS, {"required_tags": ("b",)}, Reason.OFF_TAG),
        (contact("ai_off", dnd=True), Channel.SMS, {}, Reason.DND),
    ],
)
def test_a_contact_is_judged(who: Contact, channel: Channel, settings: dict[str, Any], reason: Reason | None) -> None:
    """Do-not-disturb decides, then tags that forbid, then missing tags; tags are compared regardless of case."""
    skip = judge_contact(who, channel, location(**settings))
    assert (skip.reason if skip else None) == reason


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({}, True),
        ({"contact_lookup": False}, False),
        ({"contact_lookup": False, "required_tags": ("ai_test",)}, True),
    ],
)
def test_the_contact_is_looked_up_where_it_matters(settings: dict[str, Any], *, needed: bool) -> None:
    """Without the look-up only required tags need it, because only GHL knows them."""
    assert needs_contact(location(**settings)) is needed


@pytest.mark.parametrize(
    ("standing", "settings", "reason"),
    [
        ({}, {}, None),
        ({"paused_at_ms": 1}, {}, Reason.CONVERSATION_PAUSED),
        ({"paused_at_ms": 1, "resumed_at_ms": NOW_MS}, {}, Reason.CONVERSATION_PAUSED),
        ({"stopped": {"SMS": 1}}, {}, Reason.STOP_WORD),
        ({"stopped": {"WhatsApp": 1, "Email": 2}}, {}, None),
        ({"human_at_ms": NOW_MS - 86_399 * SECOND}, {}, Reason.HUMAN_TAKEOVER),
        ({"human_at_ms": NOW_MS - 86_400 * SECOND}, {}, None),
        ({"human_at_ms": NOW_MS - 2 * SECOND}, {"takeover_seconds": 1.5}, None),
        ({"human_at_ms": NOW_MS - 1 * SECOND}, {"takeover_seconds": 1.5}, Reason.HUMAN_TAKEOVER),
        ({"human_at_ms": NOW_MS}, {"takeover_seconds": 0}, None),
        ({"human_at_ms": 1}, {"takeover_seconds": -1}, Reason.HUMAN_TAKEOVER),
        ({"human_at_ms": 1, "resumed_at_ms": 1}, {"takeover_seconds": -1}, None),
        ({"human_at_ms": NOW_MS - 1, "resumed_at_ms": NOW_MS}, {}, None),
        ({"human_at_ms": NOW_MS, "resumed_at_ms": NOW_MS - 1}, {}, Reason.HUMAN_TAKEOVER),
        ({"automation_at_ms": NOW_MS}, {}, None),
        ({"automation_at_ms": NOW_MS}, {"takeover_by_workflow": True}, Reason.HUMAN_TAKEOVER),
        ({"automation_at_ms": NOW_MS, "resumed_at_ms": NOW_MS}, {"takeover_by_workflow": True}, None),
        ({"automation_at_ms": 1, "human_at_ms": NOW_MS}, {"takeover_by_workflow": True}, Reason.HUMAN_TAKEOVER),
        ({"automation_at_ms": NOW_MS, "human_at_ms": 1}, {}, None),
        ({"human_at_ms": NOW_MS}, {"mode": "draft"}, None),
        ({"human_at_ms": NOW_MS}, {"mode": "draft", "takeover_seconds": -1}, None),
        ({"automation_at_ms": NOW_MS}, {"mode": "draft", "takeover_by_workflow": True}, None),
        ({"human_at_ms": NOW_MS, "paused_at_ms": 1}, {"mode": "draft"}, Reason.CONVERSATION_PAUSED),
        ({"human_at_ms": NOW_MS, "stopped": {"SMS": 1}}, {"mode": "draft"}, Reason.STOP_WORD),
        ({"human_at_ms": NOW_MS, "replies": 50}, {"mode": "draft"}, Reason.REPLY_CAP),
        ({"replies": 49}, {}, None),
        ({"replies": 50}, {}, Reason.REPLY_CAP),
        ({"replies": 51}, {}, Reason.REPLY_CAP),
        ({"replies": 1000}, {"max_replies_per_day": 0}, None),
        ({"replies": 50, "human_at_ms": NOW_MS, "stopped": {"SMS": 1}, "paused_at_ms": 1}, {}, Reason.CONVERSATION_PAUSED),
        ({"replies": 50, "human_at_ms": NOW_MS, "stopped": {"SMS": 1}}, {}, Reason.STOP_WORD),
        ({"replies": 50, "human_at_ms": NOW_MS}, {}, Reason.HUMAN_TAKEOVER),
    ],
)
def test_a_standing_is_judged(standing: dict[str, Any], settings: dict[str, Any], reason: Reason | None) -> None:
    """A pause, a stop of this channel, a takeover in force (never for drafts) and the cap decide, in this order."""
    skip = judge_standing(Standing(**standing), Channel.SMS, location(**settings), now_ms=NOW_MS)
    assert (skip.reason if skip else None) == reason


LOOKED_UP = contact("old", dnd=True, blocked=("SMS",))


@pytest.mark.parametrize(
    ("looked_up", "at", "standing", "expected"),
    [
        (LOOKED_UP, 5, {}, LOOKED_UP),
        (None, -1, {}, contact()),
        (None, -1, {"tags": frozenset({"new"}), "tags_heard_ms": 1}, contact("new")),
        (LOOKED_UP, 5, {"tags": frozenset({"new"}), "tags_heard_ms": 4}, LOOKED_UP),
        (LOOKED_UP, 5, {"tags": frozenset({"new"}), "tags_heard_ms": 5}, contact("new", dnd=True, blocked=("SMS",))),
        (LOOKED_UP, 5, {"tags": frozenset(), "tags_heard_ms": 6}, contact(dnd=True, blocked=("SMS",))),
        (LOOKED_UP, 5, {"dnd": False, "dnd_heard_ms": 6}, contact("old", blocked=("SMS",))),
        (LOOKED_UP, 5, {"dnd": False, "dnd_heard_ms": 4}, LOOKED_UP),
        (LOOKED_UP, 5, {"blocked_channels": frozenset(), "blocked_heard_ms": 6}, contact("old", dnd=True)),
        (LOOKED_UP, 5, {"blocked_channels": frozenset({"Email"}), "blocked_heard_ms": 4}, LOOKED_UP),
    ],
)
def test_the_newer_word_on_a_contact_counts(
    looked_up: Contact | None, at: int, standing: dict[str, Any], expected: Contact
) -> None:
    """An event after the look-up counts for its own fields; without a look-up only events count."""
    assert merge(looked_up, at, Standing(**standing), ContactId("contact")) == expected


def test_facts_hold_no_content() -> None:
    """A skip's facts have ids, settings and times, never text."""
    skips = [
        judge(message(text="", attachments=("https://secret/1",)), location()),
        judge(message(text="secret", date_added_ms=1), location()),
        judge(message(text="secret", channel=Channel.EMAIL), location()),
        judge(message(text="Liked “secret”"), location()),
        judge(message(channel=Channel.EMAIL, sender="noreply@secret"), location(channels=EVERYTHING)),
        judge(message(channel=Channel.EMAIL, subject="Out of office: secret"), location(channels=EVERYTHING)),
        judge_contact(contact("vip", dnd=True), Channel.SMS, location()),
    ]
    assert all(skip and skip.facts and "secret" not in skip.facts for skip in skips)


def test_a_pause_by_an_operator_comes_first() -> None:
    """In a paused location every message is skipped for that reason, whatever other rules say."""
    skip = judge_message(message(text="", channel=Channel.GMB), location(mode="off"), age_seconds=1e9, paused=True)
    assert skip
    assert (skip.reason, skip.facts) == (Reason.LOCATION_PAUSED, "paused by an operator")


@pytest.mark.parametrize(
    ("added", "held", "expected"),
    [
        (-100, (0, 0), 100),
        (-100, (-50, -20), 70),
        (-100, (-200, -20), 20),
        (-100, (-50, 0), 50),
        (-100, (-50, 30), 50),
        (-100, (-300, -200), 100),
        (-100, (-200, -100), 100),
        (-10, (-100, -50), 10),
        (0, (-100, -50), 0),
        (5, (0, 0), -5),
    ],
)
def test_held_time_does_not_age(added: int, held: tuple[int, int], expected: float) -> None:
    """A message's age excludes the time in which its location was on hold after it arrived."""
    since, until = ((NOW_MS + at * SECOND if at or held != (0, 0) else 0) for at in held)
    age = age_of(message(date_added_ms=NOW_MS + added * SECOND), now_ms=NOW_MS, held=(since, until))
    assert age == expected


@pytest.mark.parametrize(
    ("added", "held", "expected"),
    [
        ("2026-11-20T17:00", None, 3600),
        ("2026-11-20T16:00", None, 5400 + 1800),
        ("2026-11-21T12:00", None, 1800),
        ("2026-11-23T09:15", None, 900),
        ("2026-11-20T17:00", ("2026-11-20T17:15", "2026-11-20T17:45"), 3600 - 900),
        ("2026-11-20T17:00", ("2026-11-21T00:00", "2026-11-22T00:00"), 3600),
        ("2026-11-20T17:00", ("2026-11-20T12:00", "2026-11-23T09:20"), 600),
    ],
)
def test_closed_hours_do_not_age(added: str, held: tuple[str, str] | None, expected: float) -> None:
    """A message's age excludes the hours in which its location was closed, and those of a hold only once."""
    hours = read(("mon-fri 09:00-17:30",), "UTC")
    since, until = map(moment, held) if held else (0, 0)
    age = age_of(message(date_added_ms=moment(added)), now_ms=moment("2026-11-23T09:30"), held=(since, until), hours=hours)
    assert age == expected


def test_a_message_without_a_date_has_no_age() -> None:
    """A message without a date counts as new, held or not."""
    assert age_of(message(date_added_ms=0), now_ms=NOW_MS) == age_of(message(date_added_ms=0), now_ms=NOW_MS, held=(1, 2)) == 0
