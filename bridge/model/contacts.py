"""What is known of a contact, and what was said."""

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
    """What GHL knows of a contact, as far as guards ask, and what instructions to a provider may name."""

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
    """How things stand with a contact, beside what waits in its lane: who spoke, what was forbidden. Moments are ms, 0 for never.

    `called`: `human_id` is a call. `stopped` names the channels that the contact has stopped and since when; `tags`, `dnd` and
    `blocked_channels` are what events told, None if none did, and when they were heard; `replies` counts those of the last 24
    hours, the oldest of them at `oldest_reply_at_ms`; the agent asked for a person at `handover_at_ms`, and the contact is left
    to people until `handover_until_ms` (-1: until resumed); `hears_events`: the location has brought marketplace events lately.
    `revision` changes with every change of what forbids a reply.
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
    """How things stood with a contact and its location at one moment, `read_at` by this process' clock (monotonic, s).

    `location` is the location's record as it is kept, empty for one that is not known. What an operator said of the conversation
    `conversation_id` is in the standing.
    """

    conversation_id: ConversationId
    location: Mapping[str, str]
    standing: Standing
    read_at: float


@dataclass(frozen=True, slots=True)
class PastMessage:
    """One earlier message: `role` is `user` for the contact and `assistant` for the business, be it a person or ourselves.

    `files` are the kinds of a contact's files that nobody has transcribed; with them `content` may be empty.
    """

    role: str
    content: str
    id: MessageId = MessageId("")
    at_ms: int = 0
    files: tuple[MediaKind, ...] = ()
