"""Timeline events as sentences, for the terminal and the console."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bridge.model import Status
from bridge.operating.reasons import REASONS
from bridge.policy.delivery import Delivery

if TYPE_CHECKING:
    from bridge.operating.explain import Explained, MessageOutcome

SENTENCES = {
    "accepted": "{channel} message {message_id}, {characters} characters",
    "ignored": "{type} {message_id}: {reason}",
    "asking": "provider {provider} about {message_ids}, attempt {attempt}",
    "unanswered": "no answer from {provider}: {why}",
    "answered": "{characters} characters after {seconds} s",
    "sending": "part {part} to GHL as {type}",
    "sent": "part {part}, {how}, GHL's id {reply_ids}",
    "resolved": "{message_id}: {how}",
    "undelivered": "{reply_ids} did not reach the contact: GHL reported {status}, {channel}. It is not sent again automatically",
    "waited_out": "GHL did not accept part {part}: {why}. It was tried again after {seconds} s",
    "recovered": "taken over from a worker that crashed; its lease ran for {ran_seconds} s",
    "not_sent": "part {part} is not in GHL",
    "retrying": "in {wait_seconds} s, failed attempts so far {failed_attempts}: {why}",
    "replied": "with {reply_ids}",
    "no_reply": "the provider gave no reply{because}",
    "delivered_by_provider": "found in the conversation as {reply_ids}",
    "skipped": "{reason}: {facts}",
    "handover": "{provider} asked for a person; silent for {lasts_seconds} s (-1: until resumed)",
    "heard": "message {message_id} by {by}, source {source}, type {type}",
    "paused": "by {by}",
    "resumed": "by {by}",
    "allowed": "the contact's opt-outs were lifted by {by}",
    "read": "{kind} of message {message_id}: {outcome}",
    "stopped": "{channel} by message {message_id}, {how}",
    "restored": "{what}",
    "looked_back": "the conversation was read in GHL because the state went back; lost replies that were found: {reply_ids}",
    "waiting": "{why}",
    "try_requested": "an operator requested an immediate retry",
    "answer_requested": "an operator requested an answer to {message_ids}; opt-outs and do-not-disturb still apply",
    "draft_approved": "an operator sends the draft {reply_id}",
    "dropped": "dead letter {dead_letter_id}",
    "superseded": "dead letter {dead_letter_id}: its texts {message_ids} are answered together with {by}",
    "dead": "dead letter {dead_letter_id} after {attempts} attempts: {error}",
}
# What is appended to the sentence if the event has the field.
BESIDES = {
    "trace_id": ", trace {trace_id}",
    "waited_out": "; quick retries before: {waited_out}",
    "shortened": "; shortened",
    "files": ", files: {files}",
    "notes": "; {notes}",
    "warned": "; warning: {warned}",
    "stopped": "; {stopped} is opted out until the contact writes START",
}
# The warnings in evidence (`completion.evidence`).
WARNINGS = {
    "session_lost": "the service has lost the conversation's history",
    "other_conversation": "the answer names a different conversation",
}
# How a part is known to be in GHL, where timelines have an older word for it.
HOW = {"heard from GHL": "confirmed by webhook"}
SHOWN_SEPARATELY = {"at", "step", "sentence"}


def in_words(explained: Explained) -> list[str]:
    """The lines for the terminal: the ids, the outcome of each message, and every step with its time."""
    lines = [f"conversation {explained.conversation_id}   contact {explained.contact_id}   location {explained.location_id}"]
    lines += [f"  message {message.message_id}: {outcome(message)}" for message in explained.messages]
    lines.append("")
    first = explained.events[0]["at"] if explained.events else ""
    for event in explained.events:
        lines += [_line(event, first), *(f"{' ' * 37}{name}: {value}" for name, value in evidence_lines(event))]
    return lines


def outcome(message: MessageOutcome) -> str:
    """The outcome of a message, and the reason, as a phrase."""
    facts = f"({message.facts})" if message.facts else ""
    means = f"({REASONS.get(message.reason, '')})" if message.status == Status.NO_REPLY and message.reason else ""
    why = " ".join(part for part in (message.reason, means, facts, message.error) if part)
    reply = f", reply {', '.join(message.reply_message_ids)}" if message.reply_message_ids else ""
    if message.delivery in {Delivery.DELIVERED, Delivery.UNDELIVERED}:
        reply += f" ({message.delivery})"
    return message.status + (f": {why}" if why else "") + reply


def sentence(event: Mapping[str, Any]) -> str:
    """An event as a sentence; a step without a sentence is shown as its fields."""
    words = SENTENCES.get(event["step"])
    details = {name: _plain(value) for name, value in event.items() if name not in SHOWN_SEPARATELY}
    if event["step"] == Status.NO_REPLY:
        details["because"] = because(event.get("reason"))
    if str(part := event.get("part", "")).isdigit():
        details["part"] = int(part) + 1
    if "how" in event:
        details["how"] = HOW.get(event["how"], event["how"])
    details["warned"] = warned = warnings_of(event)
    if words:
        besides = "".join(more for name, more in BESIDES.items() if event.get(name) or (name == "warned" and warned))
        return (words + besides).format_map(Details(details))
    return "  ".join(f"{name} {value}" for name, value in details.items() if value and name != "message_ids")


def warnings_of(event: Mapping[str, Any]) -> str:
    """The warnings in an answer's evidence, as a phrase; empty if there are none."""
    evidence = event.get("evidence")
    found = evidence.get("warnings") if isinstance(evidence, Mapping) else None
    return "; ".join(WARNINGS.get(one, str(one)) for one in found or ())


def evidence_lines(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """An answer's evidence as pairs of a name and a text."""
    evidence = event.get("evidence")
    if not isinstance(evidence, Mapping):
        return []
    return [(name.replace("_", " "), _of_evidence(value)) for name, value in evidence.items() if name != "warnings"]


def _of_evidence(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(" ".join(map(str, one)) if isinstance(one, list) else _of_evidence(one) for one in value)
    return str(value)


def because(reason: str | None) -> str:
    """Why a provider gave no reply, as a phrase to append; empty if it is not known."""
    return f": {reason}. {REASONS.get(reason, '')}".rstrip() if reason else ""


class Details(dict[str, object]):
    """A missing field is shown as `(no NAME)`, because an older version's timeline may lack it."""

    def __missing__(self, name: str) -> str:
        return f"(no {name})"


def _line(event: Mapping[str, Any], first: str) -> str:
    at = datetime.fromisoformat(event["at"])
    after = (at - datetime.fromisoformat(first)).total_seconds()
    return f"  {at:%H:%M:%S}.{at.microsecond // 1000:03d}  +{after:7.3f} s  {event['step']:<10} {sentence(event)}".rstrip()


def _plain(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
