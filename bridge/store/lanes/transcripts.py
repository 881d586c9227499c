"""The stored transcript of a conversation, for providers that keep no history, and for loop detection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bridge.model import UNKNOWN_LINE, MediaKind, MessageId, PastMessage
from bridge.policy.media import attachments_of
from bridge.store.redis.connection import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.model import Ended, InboundMessage, Turn

# Longer texts are cut in the transcript, never in a reply.
MOST_CHARACTERS = 4_000


def cut(text: str) -> str:
    """A text, cut to the transcript's limit."""
    return text.strip()[:MOST_CHARACTERS]


def transcript_entry(id_: MessageId, role: str, text: str, files: Sequence[MediaKind] = ()) -> str:
    """One message as JSON, the same for the same message."""
    fields = {"id": id_, "role": role, "content": cut(text)}
    return orjson.dumps({**fields, "files": files} if files else fields).decode()


def inbound_entry(message: InboundMessage) -> str:
    """An inbound message as JSON, without files whose text is known."""
    texts = [*message.transcripts, *[""] * len(message.attachments)]
    files = [each.kind for each, words in zip(attachments_of(message), texts, strict=False) if not words]
    return transcript_entry(message.id, "user", message.words, files)


def parse_entries(flat: list[str]) -> tuple[PastMessage, ...]:
    """Parse a script's list of message, time (ms), message, time (ms)."""
    return tuple(parse_entry(text, float(at)) for text, at in rows(flat).items())


def parse_entry(text: str, at_ms: float) -> PastMessage:
    """Parse the JSON of `transcript_entry`."""
    fields = orjson.loads(text)
    files = tuple(MediaKind(kind) if kind in list(MediaKind) else MediaKind.FILE for kind in fields.get("files", ()))
    return PastMessage(fields["role"], fields["content"], id=MessageId(fields["id"]), at_ms=int(at_ms), files=files)


def end_entries(turn: Turn, ended: Ended) -> list[tuple[int, str]]:
    """The transcript entries of a turn's end with their times (ms): the contact's messages, and a reply by the provider."""
    words = question_entries(turn, ended.message_ids)
    if ended.said:
        reply = ended.reply_message_ids[0] if ended.reply_message_ids else MessageId(turn.id)
        words.append((turn.leased_at_ms, transcript_entry(reply, "assistant", ended.said)))
    return words


def question_entries(turn: Turn, ids: Sequence[MessageId]) -> list[tuple[int, str]]:
    """The texts and files of these messages and of the carried ones, each with its time (ms)."""
    asked = {*ids, *carried_in_question(turn, ids)}
    messages = [one for one in (*turn.carried, *turn.messages) if one.id in asked and (one.words or one.attachments)]
    return [(message.date_added_ms or turn.leased_at_ms, inbound_entry(message)) for message in messages]


def carried_in_question(turn: Turn, ids: Sequence[MessageId]) -> list[MessageId]:
    """The carried messages that the question includes: those of the same line."""
    lines = {message.line for message in turn.messages if message.id in ids} | {UNKNOWN_LINE}
    return [message.id for message in turn.carried if message.line in lines]
