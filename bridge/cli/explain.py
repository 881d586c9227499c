"""`ghl-bridge explain`: a timeline in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.cli.door import console, print_json, settings
from bridge.errors import WrongInput

if TYPE_CHECKING:
    from bridge.store.timelines import Event, MessageRecord, Timeline

SENTENCES = {
    "accepted": "{channel} message {message_id}, {characters} characters",
    "ignored": "{type} {message_id}: {reason}",
    "asking": "the provider about {message_ids}, attempt {attempt}",
    "answered": "{characters} characters after {seconds} s, trace {trace_id}",
    "sending": "part {part} to GHL as {type}",
    "sent": "part {part}, {how}, GHL's id {reply_ids}",
    "not_sent": "part {part} is not in GHL",
    "retrying": "in {wait_seconds} s, failed tries so far {failed_attempts}: {why}",
    "replied": "with {reply_ids}",
    "no_reply": "the provider chose silence",
    "delivered_by_provider": "seen in the conversation as {reply_ids}",
    "skipped": "{reason}: {facts}",
    "dead": "dead letter {dead_letter_id} after {attempts} attempts: {error}",
}


def run(id_: str, *, as_json: bool) -> None:
    """Print the timeline that an id belongs to. Raises WrongInput if the id is not known."""
    from bridge.store.timelines import Timelines
    from bridge.wiring import build_redis

    timeline = Timelines(build_redis(settings())).find(id_)
    if timeline is None:
        raise WrongInput(
            f"{id_} is not known here: no message, conversation, contact or reply of that id was seen or is still kept"
        )
    if as_json:
        print_json(as_document(timeline))
        return
    for line in in_words(timeline):
        console().print(line, markup=False, soft_wrap=True)


def as_document(timeline: Timeline) -> dict[str, Any]:
    """The contract's JSON form."""
    return {
        "conversation_id": _conversation(timeline),
        "location_id": timeline.lane.location_id,
        "contact_id": timeline.lane.contact_id,
        "messages": [
            {
                "message_id": message.id,
                "status": message.status,
                "reason": message.reason or None,
                "facts": message.facts or None,
                "error": message.error or None,
                "reply_message_ids": list(message.reply_ids),
            }
            for message in timeline.messages
        ],
        "events": [{"at": _time(event.at_ms).isoformat(), "step": event.step, **event.details} for event in timeline.events],
    }


def in_words(timeline: Timeline) -> list[str]:
    """The same for people, a line each."""
    lines = [
        f"conversation {_conversation(timeline)}   contact {timeline.lane.contact_id}   location {timeline.lane.location_id}"
    ]
    lines += [f"  message {message.id}: {_outcome(message)}" for message in timeline.messages]
    lines.append("")
    first = timeline.events[0].at_ms if timeline.events else 0
    lines += [_line(event, first) for event in timeline.events]
    return lines


def _conversation(timeline: Timeline) -> str:
    known = [message.conversation_id for message in timeline.messages if message.conversation_id]
    return known[-1] if known else ""


def _outcome(message: MessageRecord) -> str:
    why = " ".join(part for part in (message.reason, f"({message.facts})" if message.facts else "", message.error) if part)
    reply = f", reply {', '.join(message.reply_ids)}" if message.reply_ids else ""
    return message.status + (f": {why}" if why else "") + reply


def _line(event: Event, first_ms: int) -> str:
    after = (event.at_ms - first_ms) / 1000
    return f"  {_time(event.at_ms):%H:%M:%S}.{event.at_ms % 1000:03d}  +{after:7.3f} s  {event.step:<10} {_words(event)}".rstrip()


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _words(event: Event) -> str:
    """The event as a sentence; one that has none yet shows its details as they are."""
    sentence = SENTENCES.get(event.step)
    if sentence:
        return sentence.format_map(Details({name: _plain(value) for name, value in event.details.items()}))
    return "  ".join(f"{name} {_plain(value)}" for name, value in event.details.items() if value and name != "message_ids")


class Details(dict[str, object]):
    """What an event doesn't tell is said to be unknown: the timeline of an older version must not fail here."""

    def __missing__(self, name: str) -> str:
        return f"(no {name})"


def _plain(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
