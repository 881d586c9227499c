"""The glossary: the words of the business as values without behaviour.

GHL's words for GHL's things (location, contact, conversation), the contract's words for ours (lane, turn, reason).
Times are whole milliseconds since 1970 (`_ms`), because that is what Redis' clock gives and what compares without rounding;
durations handed to people and settings are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping

LocationId = NewType("LocationId", str)
ContactId = NewType("ContactId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)

UNKNOWN_LINE = "?"


class Channel(StrEnum):
    """What a location may switch on and off; GHL's spelling."""

    SMS = "SMS"
    WHATSAPP = "WhatsApp"
    FB = "FB"
    IG = "IG"
    LIVE_CHAT = "Live_Chat"
    CUSTOM = "Custom"
    EMAIL = "Email"
    GMB = "GMB"


class Status(StrEnum):
    """What has become of an inbound message."""

    WAITING = "waiting"
    ANSWERING = "answering"
    RETRYING = "retrying"
    REPLIED = "replied"
    NO_REPLY = "no_reply"
    DELIVERED_BY_PROVIDER = "delivered_by_provider"
    SKIPPED = "skipped"
    DEAD = "dead"


class Reason(StrEnum):
    """Why a message is ignored or skipped."""

    NOT_INBOUND = "not_inbound"
    NOT_A_MESSAGE = "not_a_message"
    UNKNOWN_LOCATION = "unknown_location"
    OTHER_APP = "other_app"
    LOCATION_PAUSED = "location_paused"
    CHANNEL_OFF = "channel_off"
    BLANK = "blank"
    TOO_OLD = "too_old"
    HUMAN_TAKEOVER = "human_takeover"
    CONVERSATION_PAUSED = "conversation_paused"
    OFF_TAG = "off_tag"
    MISSING_TAG = "missing_tag"
    DND = "dnd"
    STOP_WORD = "stop_word"
    OUTSIDE_HOURS = "outside_hours"
    REPLY_CAP = "reply_cap"
    LOOP = "loop"
    UNPARSEABLE = "unparseable"
    DROPPED = "dropped"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    AUTO_REPLY = "auto_reply"
    UNCONFIGURED = "unconfigured"
    OVERFLOW = "overflow"


@dataclass(frozen=True, slots=True)
class Lane:
    """A contact in a location: one line of messages, one completion at a time."""

    location_id: LocationId
    contact_id: ContactId

    def __str__(self) -> str:
        return f"{self.location_id}:{self.contact_id}"

    @classmethod
    def parse(cls, text: str) -> Lane:
        """Undo `str(lane)`; ids hold no colon. Raises ValueError on anything else."""
        location_id, contact_id = text.split(":")
        return cls(LocationId(location_id), ContactId(contact_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """One message of a contact, whatever channel and protocol brought it.

    `message_type` is the webhook's word for the channel (what a provider is told), `message_type_string` GHL's finer one
    (`TYPE_CUSTOM_SMS`; what the reply's type depends on). `sender` is the address that an e-mail came from, in lower case, for
    guards alone; it is shown nowhere. Absent texts and ids are empty strings. `provisional`: its webhook
    told no id, so that it has one of ours until GHL's own is found.
    """

    id: MessageId
    location_id: LocationId
    contact_id: ContactId
    conversation_id: ConversationId
    channel: Channel
    message_type: str
    message_type_string: str
    text: str
    date_added_ms: int
    attachments: tuple[str, ...] = ()
    conversation_provider_id: str = ""
    webhook_id: str = ""
    app_id: str = ""
    subject: str = ""
    thread_id: str = ""
    email_message_id: str = ""
    sender: str = field(default="", repr=False)
    provisional: bool = False

    @property
    def lane(self) -> Lane:
        """The lane this message stands in."""
        return Lane(self.location_id, self.contact_id)

    @property
    def line(self) -> str:
        """By which channel and conversation provider it came; a turn has one. Of a provisional message neither is certain."""
        if self.provisional:
            return UNKNOWN_LINE
        return f"{self.message_type_string or self.channel}|{self.conversation_provider_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """A message that left a conversation, whoever wrote it: ourselves, a person, an automation. Absent texts and ids are empty.

    `type` is GHL's `messageTypeString`, else its `messageType`; `date_added_ms` is 0 if unreadable.
    """

    id: MessageId
    location_id: LocationId
    contact_id: ContactId
    conversation_id: ConversationId
    type: str
    text: str
    date_added_ms: int
    user_id: str = ""
    source: str = ""

    @property
    def lane(self) -> Lane:
        """The lane of the contact that it was written to."""
        return Lane(self.location_id, self.contact_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUpdate:
    """A contact as an event tells it; what the event doesn't tell is None. `at_ms` is the event's own time, 0 if it has none."""

    location_id: LocationId
    contact_id: ContactId
    at_ms: int
    tags: tuple[str, ...] | None = None
    dnd: bool | None = None
    blocked_channels: tuple[str, ...] | None = None

    @property
    def lane(self) -> Lane:
        """The contact's lane."""
        return Lane(self.location_id, self.contact_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppChange:
    """The app was installed or taken away: in a location, or, without `location_id`, in an agency with all its locations.

    `at_ms` is the event's own time, 0 if it has none.
    """

    installed: bool
    location_id: LocationId
    company_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An authentic event with nothing to answer. What of its ids could be read comes along; absent ones are empty."""

    reason: Reason
    location_id: LocationId = LocationId("")
    contact_id: ContactId = ContactId("")
    conversation_id: ConversationId = ConversationId("")
    message_id: MessageId = MessageId("")
    webhook_id: str = ""
    app_id: str = ""
    event_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A provider's answer. `text` is empty when the provider chose silence; then `why_silent` says how it said so.

    `claimed_message_id` is the GHL message id under which the provider says that it delivered the reply itself; `says_sent`: it
    says so without an id. `session_id` is what the provider calls the conversation that it remembers, `provider` who answered.
    """

    text: str
    why_silent: str = ""
    claimed_message_id: str = ""
    says_sent: bool = False
    trace_id: str = ""
    session_id: str = ""
    provider: str = ""

    @property
    def claims_delivery(self) -> bool:
        """Whether the provider says that it delivered the reply itself."""
        return self.says_sent or bool(self.claimed_message_id)


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
    """GHL took the message: a 2xx means queued. `message_ids` may be empty when the answer could not be read."""

    message_ids: tuple[MessageId, ...]
    conversation_id: ConversationId = ConversationId("")


@dataclass(frozen=True, slots=True)
class Skip:
    """A decision not to answer, and why. `facts` are what the rule looked at: ids, settings and times, never text."""

    reason: Reason
    facts: str = ""


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

    `stopped` names the channels that the contact has stopped and since when; `tags`, `dnd` and `blocked_channels` are what events
    told, None if none did, and when they were heard; `replies` counts those of the last 24 hours, the oldest of them at
    `oldest_reply_at_ms`; `hears_events`: the location has brought marketplace events lately. `revision` changes with every
    change of what forbids a reply.
    """

    revision: int = 0
    paused_at_ms: int = 0
    human_at_ms: int = 0
    human_id: str = ""
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
    hears_events: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier message: `role` is `user` for the contact and `assistant` for the business, be it a person or ourselves."""

    role: str
    content: str
    id: MessageId = MessageId("")
    at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a provider is asked: all waiting texts of a turn as one `input`, and earlier turns as `history`, oldest first.

    `session_id` is what the provider called the conversation last time, `contact` who writes, if that was looked up.
    """

    location_id: LocationId
    contact_id: ContactId
    conversation_id: ConversationId
    last_message_id: MessageId
    channel: str
    input: str
    history: tuple[Said, ...] = ()
    session_id: str = ""
    contact: Contact | None = None


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

    `message_ids` are GHL's, once known; `last`: no part of the answer comes after it.
    """

    state: SendState
    at_ms: int
    message_ids: tuple[MessageId, ...] = ()
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One part of an answer on its way out: its name in the ledger, its text as GHL takes it, and what it says in plain words.

    `last`: no part of the answer comes after it; `parts` are all parts of the answer, kept with the first one; `shortened`:
    something was cut off at the end; `unless_stale`: a newer message forbids it, as long as one may.
    """

    part: str
    text: str
    said: str
    last: bool
    shortened: bool = False
    unless_stale: bool = False
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A leased lane: the messages to answer, and what earlier tries of the same turn left behind.

    `token` is the lease's fence; `leased_at_ms` and `leased_at` are the same moment by Redis' clock and by this process' own
    (monotonic, s). `carried` are messages of dead letters whose texts this turn takes along, `waiting` is how many messages
    stood in the lane when it was leased, `replayed` says that an operator gave a dead letter another chance. `attempts` counts
    durable tries that failed, `unfinished` leases that ended without a word (this one included), `looks` how often GHL was read
    to settle an unknown outcome, `asks` how often a provider that may deliver was asked, `stale` how many answers were dropped
    for a newer message. `answered` are the ids that the saved `answer` is for, `parts` the texts that it was last posted as.
    `session` is what the provider called the conversation when it last answered, in this turn or an earlier one, `asked` the
    provider that was asked last.
    """

    lane: Lane
    id: str
    token: str
    leased_at_ms: int
    leased_at: float
    messages: tuple[InboundMessage, ...]
    carried: tuple[InboundMessage, ...] = ()
    waiting: int = 0
    replayed: bool = False
    attempts: int = 0
    unfinished: int = 1
    looks: int = 0
    asks: int = 0
    stale: int = 0
    answer: Completion | None = None
    answered: tuple[MessageId, ...] = ()
    answered_at_ms: int = 0
    session: str = ""
    parts: tuple[str, ...] = ()
    asked: str = ""
    ledger: Mapping[str, LedgerEntry] = field(default_factory=dict)

    def now_ms(self, monotonic: float) -> int:
        """Redis' clock at the moment `monotonic` of this process."""
        return self.leased_at_ms + round((monotonic - self.leased_at) * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A turn that is over: what became of each message that leaves the lane, and the ids of the replies that were sent.

    `said` is a reply that somebody else delivered: its words are only known here.
    """

    status: Status
    message_ids: tuple[MessageId, ...]
    reason: Reason | None = None
    facts: str = ""
    reply_message_ids: tuple[MessageId, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A turn to be tried again after `wait` seconds. `counts` says whether that was one of the tries that run out.

    `status` is what its messages are until then: `waiting` if nothing went wrong. `circuits` are those of providers that are
    down: the turn is tried earlier, when one of them answers. `stale`: a newer message made the answer stale; it is dropped and
    asked for again. `in_place`: the whole location waits, and the lane keeps its place in it.
    """

    wait: float
    why: str
    counts: bool = True
    looks: int = 0
    stale: bool = False
    in_place: bool = False
    status: Status = Status.RETRYING
    circuits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A turn that will not pass by itself. `refused` is the side that refused a login (`ghl`, `provider`), else empty."""

    error: str
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a webhook's sender is told."""

    status: str
    reason: str = ""
    message_id: str = ""
    conversation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A row of a conversation's list. `type` is like `TYPE_SMS`; `date_added_ms` is 0 if unreadable; the rest may be empty.

    E-mail rows often come without `text`; marketplace events call an e-mail by one of `email_message_ids`.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A conversation since a moment, newest first, texts included. `complete`: nothing since then was left unread."""

    messages: tuple[Listed, ...]
    complete: bool
