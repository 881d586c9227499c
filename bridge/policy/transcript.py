"""Chooses the messages of a turn, and builds the question from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.model import UNKNOWN_LINE, Channel, PastMessage, Question
from bridge.policy.authors import Author, author
from bridge.policy.media import earlier_line, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bridge.model import InboundMessage, Listed, MediaKind, MessageId


def choose(waiting: Sequence[InboundMessage], answered: Sequence[MessageId] = ()) -> tuple[InboundMessage, ...]:
    """The messages of this turn, oldest `dateAdded` first, arrival order on ties.

    With a saved answer they are the answered ones. Otherwise a turn has one channel and one conversation provider, those of its
    oldest message; other messages belong to the next turn. `waiting` is in order of arrival.
    """
    ordered = sorted(waiting, key=lambda message: message.date_added_ms)
    if answered:
        return tuple(message for message in ordered if message.id in answered)
    return tuple(message for message in ordered if message.line == ordered[0].line)


def ask(messages: Sequence[InboundMessage], carried: Sequence[InboundMessage] = ()) -> Question:
    """All texts as one input, joined by newlines, oldest `dateAdded` first.

    `messages` are a turn's, oldest first, and not empty; `carried` are those of dead letters that the turn includes, if they came
    on the same line.
    """
    last = messages[-1]
    return Question(
        location_id=last.location_id,
        contact_id=last.contact_id,
        conversation_id=last.conversation_id,
        last_message_id=last.id,
        channel=last.message_type,
        input="\n".join(text for message in asked(messages, carried) if (text := message.words)),
    )


def asked(messages: Sequence[InboundMessage], carried: Sequence[InboundMessage] = ()) -> tuple[InboundMessage, ...]:
    """The messages of a question, oldest `dateAdded` first."""
    along = [one for one in carried if one.line in {messages[-1].line, UNKNOWN_LINE}]
    return tuple(sorted([*along, *messages], key=lambda message: message.date_added_ms))


def earlier(said: Sequence[PastMessage], *, asked: Collection[MessageId], count: int) -> tuple[PastMessage, ...]:
    """The last `count` messages of the transcript, oldest first, without those that are `asked` now; each message once."""
    known = {one.id: one for one in said if one.id not in asked}
    return tuple(sorted(known.values(), key=lambda one: one.at_ms)[-count:])


def as_told(said: Iterable[PastMessage], *, files: bool) -> tuple[PastMessage, ...]:
    """An earlier message for a provider: with a line about the contact's files, or only the text."""
    lined = ((one, earlier_line(one.files) if files else "") for one in said)
    messages = (replace(one, content="\n".join(part for part in (one.content, line) if part), files=()) for one, line in lined)
    return tuple(one for one in messages if one.content)


def read_back(listed: Iterable[Listed]) -> tuple[PastMessage, ...]:
    """Rows of GHL's list as transcript: everybody who writes for the business is `assistant`, also a person."""
    return tuple(_said(row) for row in listed if _says(row))


def _says(row: Listed) -> bool:
    if row.direction == "inbound":
        return bool(row.text.strip() or row.attachments)
    return bool(row.text.strip()) and author(type_=row.type, source=row.source) is not Author.NOBODY


def _said(row: Listed) -> PastMessage:
    role = "user" if row.direction == "inbound" else "assistant"
    return PastMessage(role, row.text, id=row.id, at_ms=row.date_added_ms, files=_files(row) if role == "user" else ())


def _files(row: Listed) -> tuple[MediaKind, ...]:
    """The kinds of the contact's files. Files of the business are omitted, because a model would imitate such a line."""
    channel = Channel.WHATSAPP if row.type == "TYPE_WHATSAPP" else Channel.SMS
    return tuple(kind_of(url, channel) for url in row.attachments)
