"""Posts to GHL, their ledger entries, and rows of GHL's list for read-backs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.model.ids import ConversationId

if TYPE_CHECKING:
    from bridge.model.ids import ContactId, MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One part of an answer in the format of GHL's send endpoint: `type` is GHL's word for the channel."""

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
    """GHL accepted the message: a 2xx means queued.

    `message_ids` may be empty if the answer could not be read. `status` is GHL's status of
    the message so far.
    """

    message_ids: tuple[MessageId, ...]
    conversation_id: ConversationId = ConversationId("")
    status: str = ""


class SendState(StrEnum):
    """The state of a ledger entry.

    `asking` belongs to a provider that may deliver by itself, the others to the bridge's own post. An entry that stays in
    `asking` or `sending` has an unknown outcome.
    """

    ASKING = "asking"
    SENDING = "sending"
    NOT_SENT = "not_sent"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A ledger entry: one send, recorded before and after.

    `message_ids` are GHL's, once known; `last`: it is the last part of the answer; `draft`: it is an internal comment, which the
    contact doesn't see; `answered`: the provider that may have delivered gave an answer, from which nothing follows.
    """

    state: SendState
    at_ms: int
    message_ids: tuple[MessageId, ...] = ()
    last: bool = False
    draft: bool = False
    answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A part of an answer to post: its name in the ledger, its text in GHL's format, and its plain text.

    `last`: it is the last part of the answer; `parts` are all parts of the answer, stored with the first one; `shortened`: its
    end was cut off; `unless_stale`: a newer message prevents it, as long as one may. `for_staff`: an internal comment.
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
    """The record of a part that is in GHL: GHL's ids, since when (ms), and `how` that is known.

    `channel` is the channel it was sent on, empty for a draft; `status` is GHL's status of it so far.
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

    E-mail rows often come without `text`; marketplace events call an e-mail by one of `email_message_ids`. `call_seconds` is the
    duration of an answered call, 0 for a missed call and for other messages. `attachments` are the addresses of its files.
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
    """A conversation's rows since a time, newest first, with texts.

    `complete`: all rows since then were read. `read` are all rows of the pages that were read, including older ones; `more`: even
    older ones are left. `ahead_ms`: how far GHL's clock is ahead of ours, 0 if that is unknown.
    """

    messages: tuple[Listed, ...]
    complete: bool
    read: tuple[Listed, ...] = ()
    more: bool = False
    ahead_ms: int = 0
