"""The state in memory: locations, contacts, conversations and messages, with indexes for every access."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bridge.simulator import ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from bridge.simulator.channels import ChannelKind

Direction: TypeAlias = Literal["inbound", "outbound"]


@dataclass(slots=True)
class SimulatedLocation:
    """A sub-account. `by_date` contains (time of the last message in ms, conversation id), oldest first."""

    id: str
    token: str
    provider_id: str
    by_date: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class SimulatedContact:
    """A person who writes to a location."""

    id: str
    location_id: str
    email: str
    phone: str
    tags: list[str] = field(default_factory=list)
    dnd: bool = False
    dnd_settings: dict[str, Any] = field(default_factory=dict)
    assigned_to: str = ""


@dataclass(slots=True, kw_only=True)
class Message:
    """One message of either direction; `at` is `dateAdded` in milliseconds. `links` makes addresses of files, which expire."""

    id: str
    location_id: str
    contact_id: str
    conversation_id: str
    direction: Direction
    channel: ChannelKind
    body: str
    at: int
    provider_id: str
    sequence: int = 0
    status: str = "delivered"
    source: str = ""
    user_id: str = ""
    email_message_id: str = ""
    thread_id: str = ""
    subject: str = ""
    attachments: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    links: Callable[[], list[str]] = list
    mentions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Conversation:
    """All messages between one contact and the business, by time."""

    id: str
    location_id: str
    contact_id: str
    messages: list[Message] = field(default_factory=list)
    last_inbound_at: dict[str, int] = field(default_factory=dict)
    inbound: int = 0

    @property
    def last(self) -> Message | None:
        """The newest message."""
        return self.messages[-1] if self.messages else None

    def place_of(self, message: Message) -> int:
        """The index of this message in `messages`."""
        return bisect_left(self.messages, _order(message), key=_order)


class World:
    """The state of one simulated GHL."""

    def __init__(self, randomness: Random) -> None:
        self.randomness = randomness
        self.locations: dict[str, SimulatedLocation] = {}
        self.contacts: dict[str, SimulatedContact] = {}
        self.conversations: dict[str, Conversation] = {}
        self.conversation_of: dict[str, str] = {}
        self.other_conversation_of: dict[str, str] = {}
        self.messages: dict[str, Message] = {}
        self.tokens: dict[str, set[str]] = {}
        self.generated: set[str] = set()
        self.bots: dict[str, list[dict[str, Any]]] = {}
        self._sequence = 0

    def put_location(self, location_id: str, token: str) -> SimulatedLocation:
        """Add a location, or give a known one another token: the old one is then refused."""
        location = self.locations.get(location_id) or SimulatedLocation(location_id, "", ids.mint(self.randomness))
        self.tokens.get(location.token, set()).discard(location_id)
        self.tokens.setdefault(token, set()).add(location_id)
        location.token = token
        self.locations[location_id] = location
        return location

    def put_contact(self, location_id: str, contact_id: str) -> SimulatedContact:
        """Find a contact, or create one with a telephone number and an e-mail address."""
        known = self.contacts.get(contact_id)
        if known:
            return known
        address = f"{contact_id.lower()}@example.com"
        contact = SimulatedContact(contact_id, location_id, address, ids.mint_phone(self.randomness))
        self.contacts[contact_id] = contact
        return contact

    def conversation(self, contact: SimulatedContact) -> Conversation:
        """Find the contact's main conversation, or create it."""
        known = self.conversation_of.get(contact.id)
        if known:
            return self.conversations[known]
        conversation = Conversation(ids.mint(self.randomness), contact.location_id, contact.id)
        self.conversations[conversation.id] = conversation
        self.conversation_of[contact.id] = conversation.id
        return conversation

    def elsewhere(self, contact: SimulatedContact) -> Conversation:
        """Find the contact's second conversation, or create it: live accounts have several for one contact."""
        known = self.other_conversation_of.get(contact.id)
        if known:
            return self.conversations[known]
        conversation = Conversation(ids.mint(self.randomness), contact.location_id, contact.id)
        self.conversations[conversation.id] = conversation
        self.other_conversation_of[contact.id] = conversation.id
        return conversation

    def add(self, message: Message) -> Message:
        """Add a message to its conversation."""
        self._sequence += 1
        message.sequence = self._sequence
        conversation = self.conversations[message.conversation_id]
        before = conversation.last
        insort(conversation.messages, message, key=_order)
        self._note(conversation, message)
        self._move(conversation, before)
        return message

    def merge(self, gone: SimulatedContact, kept: SimulatedContact) -> None:
        """Move the conversation of `gone` to `kept`, as GHL does with duplicate contacts."""
        conversation_id = self.conversation_of.pop(gone.id, None)
        if conversation_id:
            conversation = self.conversations[conversation_id]
            conversation.contact_id = kept.id
            for message in conversation.messages:
                message.contact_id = kept.id
            self.conversation_of[kept.id] = conversation_id
        self.contacts.pop(gone.id, None)

    def newest_first(self, conversation: Conversation, *, before: Message | None) -> Iterator[Message]:
        """A conversation's messages, newest first, from before the given message."""
        place = conversation.place_of(before) if before else len(conversation.messages)
        for index in range(place - 1, -1, -1):
            yield conversation.messages[index]

    def by_last_message(self, location: SimulatedLocation, *, before: int | None) -> Iterator[Conversation]:
        """A location's conversations, the latest first, from before a time in milliseconds."""
        dates = location.by_date
        place = len(dates) if before is None else bisect_left(dates, (before, ""))
        for index in range(place - 1, -1, -1):
            yield self.conversations[dates[index][1]]

    def _note(self, conversation: Conversation, message: Message) -> None:
        self.messages[message.id] = message
        if message.email_message_id:
            self.messages[message.email_message_id] = message
        if message.direction == "inbound":
            known = conversation.last_inbound_at.get(message.channel.name, 0)
            conversation.last_inbound_at[message.channel.name] = max(known, message.at)
            conversation.inbound += 1

    def _move(self, conversation: Conversation, before: Message | None) -> None:
        last = conversation.messages[-1]
        dates = self.locations[conversation.location_id].by_date
        if before:
            del dates[bisect_left(dates, (before.at, conversation.id))]
        insort(dates, (last.at, conversation.id))


def _order(message: Message) -> tuple[int, int]:
    return message.at, message.sequence
