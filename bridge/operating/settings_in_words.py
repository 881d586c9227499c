"""A location's settings in words: what each key of the locations file means, its value, and the default beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

from bridge.locations import HandoverSettings, Location
from bridge.times import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

# The label of each key; keys of tables follow their table's name.
LABELS = {
    "name": "Name",
    "mode": "Replies",
    "provider": "Answered by",
    "fallback_provider": "Fallback while that is down",
    "ghl_token": "Own GHL token",
    "channels": "Channels that are answered",
    "types": "Further message types, and the channel to answer them on",
    "debounce_seconds": "Wait for further messages before answering",
    "debounce_max_seconds": "Longest wait after the first message",
    "max_age_seconds": "Older messages are not answered",
    "history_messages": "Earlier messages sent to providers without a history",
    "media": "Pictures, voice notes and files",
    "media_reads_per_day": "Files read per day",
    "media_message": "Reply to a message of unreadable files only",
    "takeover_seconds": "Silent after a person's message",
    "takeover_by_workflow": "Workflow and campaign messages count as a person's",
    "takeover_by_call": "Calls that count as a person's message",
    "off_tags": "No reply to contacts with any of these tags",
    "required_tags": "Replies only to contacts with all of these tags",
    "stop_words": "Opt-out words",
    "max_replies_per_day": "Replies per contact and day, at most",
    "contact_lookup": "Read tags and do-not-disturb before asking the provider",
    "evidence_texts": "Keep texts that matched in a knowledge base",
    "prices": "Prices for reports",
    "business_hours": "Business hours",
    "app_domain": "Address of links into GHL",
    "timezone": "Time zone",
    "outside_hours": "Outside business hours",
    "away_message": "Message outside business hours",
    "failure_message": "Message when a message could not be answered",
    "dead_letter_tag": "Tag for contacts that could not be answered",
    "workflow_secret": "Secret of its workflow webhooks",
    "sms_max_segments": "SMS segments per reply, at most",
    "provider_timeout_seconds": "Longest time for one completion",
    "reconcile_minutes": "GHL is searched for missed webhooks",
    "assistable": "Assistable",
    "agencii": "Agencii",
    "openai": "OpenAI-compatible",
    "webhook": "JSON webhook",
    "agent_studio": "Agent Studio",
    "transcription": "Transcription",
    "handover": "Handover",
    "assistant_id": "assistant id",
    "api_integration_id": "integration id",
    "agent_id": "agent id",
    "version_id": "version",
    "input_variables": "input variables",
    "additional_instructions": "additional instructions",
    "attachments": "files sent with every question",
    "url": "address",
    "base_url": "address",
    "model": "model",
    "system_prompt": "system prompt",
    "max_tokens": "tokens per answer, at most",
    "reasoning_effort": "reasoning effort",
    "reply_path": "where the reply is in the answer",
    "input_name": "name of the message field",
    "header": "header that carries the token",
    "token": "token",
    "delivery": "who posts the reply into GHL",
    "marker": "last line that asks for a person",
    "tool": "tool that asks for a person",
    "message": "message to the contact",
    "tag": "tag for the contact",
    "assign_to": "user who gets the contact",
    "seconds": "silent afterwards",
}
# Values with a text that explains them, by their key.
VALUES: Mapping[str, Mapping[Any, str]] = {
    "mode": {"live": "sent to the contact", "draft": "drafts: internal comments that only staff see", "off": "no replies"},
    "fallback_provider": {"": "nobody"},
    "media": {
        "ignore": "ignored",
        "mention": "mentioned to the provider",
        "links": "handed to the provider as links",
        "read": "read: transcribed, or shown to the provider",
    },
    "takeover_seconds": {0: "not at all", -1: "until somebody resumes it"},
    "takeover_by_call": {"answered": "answered calls", "never": "none", "always": "all, missed ones too"},
    "max_replies_per_day": {0: "no limit"},
    "business_hours": {(): "always open"},
    "app_domain": {"": "that of GHL_APP_DOMAIN"},
    "outside_hours": {
        "silent": "no reply",
        "defer": "answered when the location opens",
        "away": "the message outside business hours",
    },
    "reconcile_minutes": {0: "never"},
    "delivery": {"auto": "determined automatically", "bridge": "the bridge", "provider": "the provider"},
    "seconds": {0: "not at all", -1: "until somebody resumes it"},
    "assistable.url": {"": "that of ASSISTABLE_URL"},
    "agencii.url": {"": "that of AGENCII_URL"},
    "agent_studio.base_url": {"": "that of GHL_API_URL"},
    "tool": {"": "none"},
}
MINUTE = 60
# Tables that count only under a condition; the other tables are providers.
CONDITIONAL = {"transcription", "handover"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInWords:
    """A setting: its `key` in the locations file, what it means, and its value and default as text; `changed`: they differ.

    A secret's value is only whether it is set.
    """

    key: str
    label: str
    value: str
    default: str
    changed: bool


def in_words(location: Location) -> tuple[SettingInWords, ...]:
    """Every setting that has an effect, with differences from the defaults first, each group in the order of the file."""
    rows = tuple(_rows(location))
    return (*(row for row in rows if row.changed), *(row for row in rows if not row.changed))


def _rows(location: Location) -> Iterator[SettingInWords]:
    usual = Location(id=location.id)
    for key, value in location:
        default = getattr(usual, key)
        if isinstance(value, BaseModel):
            if _has_effect(location, key):
                default = default or HandoverSettings()
                yield from (_row(f"{key}.{name}", one, getattr(default, name), under=key) for name, one in value)
        elif key not in {"id", "handover"}:
            yield _row(key, value, default)


def _has_effect(location: Location, table: str) -> bool:
    """Whether settings of this table are used: a provider that answers, media that are read, a handover that is set."""
    if table == "transcription":
        return location.media == "read"
    return table in {location.provider, location.fallback_provider, *CONDITIONAL}


def _row(key: str, value: Any, default: Any, *, under: str = "") -> SettingInWords:
    name = key.rpartition(".")[2]
    label = f"{LABELS[under]}: {LABELS[name]}" if under else LABELS[name]
    return SettingInWords(key=key, label=label, value=_text(key, value), default=_text(key, default), changed=value != default)


def _text(key: str, value: Any) -> str:
    """A value for people, with its key's own words, its unit, or its kind."""
    name = key.rpartition(".")[2]
    known = VALUES.get(key) or VALUES.get(name, {})
    if known and value in known:
        return known[value]
    match value:
        case None | SecretStr():
            text = "set" if value and value.get_secret_value() else "not set"
        case bool():
            text = "yes" if value else "no"
        case int() | float():
            text = _number(name, value)
        case Mapping():
            text = ", ".join(f"{key}: {one}" for key, one in value.items())
        case tuple():
            text = ", ".join(map(_plain, value))
        case _:
            text = str(value)
    return text or "none"


def _number(name: str, value: float) -> str:
    if name.endswith("seconds"):
        return _duration(value)
    if name.endswith("minutes"):
        return f"every {_duration(value * MINUTE)}"
    return f"{value:,}"


def _duration(seconds: float) -> str:
    """The exact duration, in the largest unit of which it is a whole number."""
    size, unit = next(((size, unit) for size, unit in UNITS if seconds >= size and seconds % size == 0), (1, "s"))
    return f"{seconds / size:g} {unit}"


def _plain(value: Any) -> str:
    """A member of a list; a file is shown by its id."""
    return str(getattr(value, "file_id", value))
