"""The guards: whether a message may be answered. Checked before the completion, and again immediately before each post."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.model import FORM_SUBMISSION, Channel, Contact, Reason, Skip
from bridge.policy import media
from bridge.policy.auto_reply import judge_auto_reply
from bridge.policy.business_hours import ALWAYS, closed_ms
from bridge.policy.reactions import is_reaction
from bridge.policy.takeover import judge_takeover
from bridge.times import utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.locations import Location
    from bridge.model import ContactId, InboundMessage, Standing
    from bridge.policy.business_hours import Hours


# Replies in progress have no echo yet; but after this many in a row, events would have reported one.
DEAF_AFTER = 20


def hears(standing: Standing, *, unheard: int) -> bool:
    """Whether events report outbound messages: there are events, and one reported a reply within the last `unheard` replies."""
    return standing.hears_events and unheard < DEAF_AFTER


def judge_message(message: InboundMessage, location: Location, *, age_seconds: float, paused: bool = False) -> Skip | None:
    """Check one message of a new turn: pause, mode, channel, content, age. None: it may be answered.

    Each message of a burst is checked, and ends separately if a rule applies.
    """
    return _judge_place(message, location, paused=paused) or judge_content(message, location) or _judge_age(location, age_seconds)


def judge_turn(
    messages: Sequence[InboundMessage], location: Location, *, age_seconds: float, paused: bool = False
) -> Skip | None:
    """Check a whole turn again, immediately before a post: its messages, oldest first, and the newest one's age.

    Pause, mode, channel and age are those of the newest message. Content prevents the reply only if it does so for each message:
    the reply to a burst is not dropped because of its last message.
    """
    newest = messages[-1]
    contents = [judge_content(message, location) for message in messages]
    content = contents[-1] if all(contents) else None
    return _judge_place(newest, location, paused=paused) or content or _judge_age(location, age_seconds)


def judge_content(message: InboundMessage, location: Location) -> Skip | None:
    """Check the content of one message: an automatic reply, an empty message, or only a reaction."""
    return judge_auto_reply(message) or _judge_text(message, location)


def _judge_age(location: Location, age_seconds: float) -> Skip | None:
    if age_seconds > location.max_age_seconds:
        return Skip(Reason.TOO_OLD, f"{age_seconds:.0f} s old, max_age_seconds = {location.max_age_seconds:.0f}")
    return None


def _judge_place(message: InboundMessage, location: Location, *, paused: bool) -> Skip | None:
    if paused:
        return Skip(Reason.LOCATION_PAUSED, "paused by an operator")
    if location.mode == "off":
        return Skip(Reason.LOCATION_PAUSED, "mode = off")
    if message.channel is Channel.UNKNOWN:
        return _judge_type(message.message_type_string)
    if message.channel is Channel.GMB:
        return Skip(Reason.CHANNEL_OFF, "GHL accepts no replies to GMB")
    if message.channel not in location.channels:
        return Skip(Reason.CHANNEL_OFF, f"{message.channel} is not among channels")
    return None


def _judge_type(name: str) -> Skip:
    if name == FORM_SUBMISSION:
        return Skip(Reason.NOT_A_MESSAGE, f"{name} is not answered unless `types` of the location maps it to a channel")
    return Skip(Reason.UNKNOWN_TYPE, f'{name} is not known: types = {{ {name} = "SMS" }} would answer it as SMS')


def _judge_text(message: InboundMessage, location: Location) -> Skip | None:
    if not message.text.strip():
        return _judge_files(message, location)
    if is_reaction(message.text):
        return Skip(Reason.BLANK, "nothing but a reaction to a message")
    return None


def may_have_files(message: InboundMessage, location: Location) -> bool:
    """Whether an empty message may have files that its webhook lacks, as on WhatsApp."""
    return location.media != "ignore" and not message.text.strip() and not message.attachments


def _judge_files(message: InboundMessage, location: Location) -> Skip | None:
    """Check a message without text."""
    files = media.counted(each.kind for each in media.attachments_of(message))
    if location.media == "ignore":
        return Skip(Reason.BLANK, f"no text, {files or 'no file'}, media = ignore")
    if media.wants_answer(message):
        return None
    return Skip(Reason.BLANK, f"no text, nothing but {files}" if files else "GHL gave neither text nor file")


def age_of(message: InboundMessage, *, now_ms: int, held: tuple[int, int] = (0, 0), hours: Hours = ALWAYS) -> float:
    """A message's age in seconds by its own `dateAdded`; 0 when it has no date.

    The time of a hold (from, until; ms) and closed hours don't count.
    """
    added = message.date_added_ms
    if not added:
        return 0.0
    since, until = max(held[0], added), min(held[1], now_ms)
    overlap = max(0, until - since)
    closed = closed_ms(hours, added, now_ms) - closed_ms(hours, since, until)
    return (now_ms - added - overlap - closed) / 1000


def judge_standing(standing: Standing, channel: Channel, location: Location, *, now_ms: int) -> Skip | None:
    """Check the standing: an operator's pause, an opt-out, a takeover, the reply limit."""
    if standing.paused_at_ms:
        return Skip(Reason.CONVERSATION_PAUSED, f"paused by an operator at {utc(standing.paused_at_ms)}")
    if channel in standing.stopped:
        return Skip(Reason.STOP_WORD, f"the contact opted out of {channel} at {utc(standing.stopped[channel])} (stop_words)")
    if skip := judge_takeover(standing, location, now_ms):
        return skip
    if 0 < location.max_replies_per_day <= standing.replies:
        facts = f"replies since {utc(standing.oldest_reply_at_ms)}: {standing.replies}"
        return Skip(Reason.REPLY_CAP, f"{facts}, max_replies_per_day = {location.max_replies_per_day}")
    return None


def merge(looked_up: Contact | None, looked_up_at_ms: int, standing: Standing, contact_id: ContactId) -> Contact:
    """The contact from the look-up, updated by later events."""
    known = looked_up or Contact(id=contact_id)
    tags = standing.tags if standing.tags_heard_ms >= looked_up_at_ms else None
    dnd = standing.dnd if standing.dnd_heard_ms >= looked_up_at_ms else None
    blocked = standing.blocked_channels if standing.blocked_heard_ms >= looked_up_at_ms else None
    return replace(
        known,
        tags=known.tags if tags is None else tags,
        dnd=known.dnd if dnd is None else dnd,
        blocked_channels=known.blocked_channels if blocked is None else blocked,
    )


def judge_contact(contact: Contact, channel: Channel, location: Location) -> Skip | None:
    """Check the contact: do not disturb, tags. Tags are compared without case, because GHL stores them in lower case."""
    if contact.dnd:
        return Skip(Reason.DND, "dnd is on for the contact")
    if channel in contact.blocked_channels:
        return Skip(Reason.DND, f"dndSettings block {channel}")
    tags = _folded(contact.tags)
    if off := _folded(location.off_tags) & tags:
        return Skip(Reason.OFF_TAG, f"has {', '.join(sorted(off))}, one of off_tags")
    if missing := _folded(location.required_tags) - tags:
        return Skip(Reason.MISSING_TAG, f"lacks {', '.join(sorted(missing))}, one of required_tags")
    return None


def needs_contact(location: Location) -> bool:
    """Whether the contact must be read from GHL. Required tags need it, even without `contact_lookup`."""
    return location.contact_lookup or bool(location.required_tags)


def _folded(tags: Iterable[str]) -> frozenset[str]:
    return frozenset(tag.strip().casefold() for tag in tags)
