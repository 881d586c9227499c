"""Contacts: their data, their standing, and earlier messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.model.ids import MessageId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model.ids import ContactId, ConversationId
    from bridge.model.media import MediaKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact's data from GHL: fields for the guards, and those that instructions to a provider may contain."""

    id: ContactId
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    tags: frozenset[str] = frozenset()
    dnd: bool = False
    blocked_channels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A contact's standing: whether it may be answered. Times are ms, 0 for never.

    `called`: `human_id` is a call. `stopped` maps the channels with an opt-out to its time; `tags`, `dnd` and `blocked_channels`
    come from events, with the time of the event, and are None if no event reported them; `replies` counts the replies of the last
    24 hours, the oldest at `oldest_reply_at_ms`; the agent asked for a person at `handover_at_ms`, and is silent until
    `handover_until_ms` (-1: until resumed); `hears_events`: the location had marketplace events recently. `revision` changes
    whenever something that prevents a reply changes.
    """

    revision: int = 0
    paused_at_ms: int = 0
    human_at_ms: int = 0
    human_id: str = ""
    called: bool = False
    automation_at_ms: int = 0
    automation_id: str = ""
    resumed_at_ms: int = 0
    stopped: Mapping[str, int] = field(default_factory=dict)
    tags: frozenset[str] | None = None
    tags_heard_ms: int = 0
    dnd: bool | None = None
    blocked_channels: frozenset[str] | None = None
    dnd_heard_ms: int = 0
    blocked_heard_ms: int = 0
    replies: int = 0
    oldest_reply_at_ms: int = 0
    handover_at_ms: int = 0
    handover_until_ms: int = 0
    hears_events: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The standing of a contact with its location's record, read together at `read_at` (monotonic clock of this process, s).

    `location` is the stored record, empty for an unknown location. The standing includes a pause of the conversation
    `conversation_id`.
    """

    conversation_id: ConversationId
    location: Mapping[str, str]
    standing: Standing
    read_at: float


@dataclass(frozen=True, slots=True)
class PastMessage:
    """An earlier message: `role` is `user` for the contact and `assistant` for the business (a person or the bridge).

    `files` are the kinds of a contact's files that were not transcribed; with them `content` may be empty.
    """

    role: str
    content: str
    id: MessageId = MessageId("")
    at_ms: int = 0
    files: tuple[MediaKind, ...] = ()
