"""What leaves for GHL, what is noted of it before and after, and what is read back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.model.ids import ConversationId

if TYPE_CHECKING:
    from bridge.model.ids import ContactId, MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One part of an answer in the form that GHL's send endpoint takes: `type` is GHL's word for the channel."""

    type: str
    contact_id: ContactId
    message: str = ""
    html: str = ""
    subject: str = ""
    thread_id: str = ""
    reply_message_id: str = ""
    conversation_provider_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """GHL took the message: a 2xx means queued. `message_ids` may be empty when the answer could not be read.

    `status` is GHL's word for what became of it so far.
    """

    message_ids: tuple[MessageId, ...]
    conversation_id: ConversationId = ConversationId("")
    status: str = ""


class SendState(StrEnum):
    """Where one write to the outside stands in the ledger.

    `asking` belongs to a provider that may deliver by itself, the others to our own post. What stays `asking` or `sending`
    is an unknown outcome.
    """

    ASKING = "asking"
    SENDING = "sending"
    NOT_SENT = "not_sent"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One write to the outside, noted before and after.

    `message_ids` are GHL's, once known; `last`: no part of the answer comes after it; `draft`: it is there as a comment that the
    contact doesn't see.
    """

    state: SendState
    at_ms: int
    message_ids: tuple[MessageId, ...] = ()
    last: bool = False
    draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One part of an answer on its way out: its name in the ledger, its text as GHL takes it, and what it says in plain words.

    `last`: no part of the answer comes after it; `parts` are all parts of the answer, kept with the first one; `shortened`:
    something was cut off at the end; `unless_stale`: a newer message forbids it, as long as one may. `for_staff`: a comment that
    the contact doesn't see.
    """

    part: str
    text: str
    said: str
    last: bool
    shortened: bool = False
    unless_stale: bool = False
    parts: tuple[str, ...] = ()
    for_staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A part that is in GHL, what is noted of it: the ids that GHL gave it, since when (ms), and `how` that is known.

    `channel` is the one that it left by, empty for a draft, `status` GHL's word for what became of it so far.
    """

    posting: Posting
    message_ids: tuple[MessageId, ...]
    at_ms: int
    how: str
    channel: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A row of a conversation's list. `type` is like `TYPE_SMS`; `date_added_ms` is 0 if unreadable; the rest may be empty.

    E-mail rows often come without `text`; marketplace events call an e-mail by one of `email_message_ids`. `call_seconds` is how
    long a call was talked, 0 for one that was missed and for all else. `attachments` are the addresses of its files.
    """

    id: MessageId
    direction: str
    text: str
    date_added_ms: int
    user_id: str
    source: str
    type: str
    conversation_provider_id: str = ""
    email_message_ids: tuple[MessageId, ...] = ()
    status: str = ""
    call_seconds: float = 0.0
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A conversation since a moment, newest first, texts included. `complete`: nothing since then was left unread.

    `read` are all rows of the pages that were read, older ones included.
    """

    messages: tuple[Listed, ...]
    complete: bool
    read: tuple[Listed, ...] = ()
