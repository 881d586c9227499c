"""How a turn is read from what `lease.lua` answers, and how its records are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import UNKNOWN_LINE, LedgerEntry, MessageId, SendState, Status, Turn
from bridge.store.connection import rows
from bridge.store.messages import decode, decode_answer, encode_answer
from bridge.store.said import read_words, said, said_by_contact
from bridge.store.situations import read_situation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.model import Completion, Dead, Ended, Lane, Posted


def read_turn(lane: Lane, token: str, began: float, answer: Sequence[Any]) -> Turn:
    """The leased turn. `began` is this process' clock before the lease was asked for."""
    now, replayed, waiting, record, ledger, messages, carried, situation, words, topped = answer
    fields = rows(record)
    return Turn(
        lane=lane,
        id=fields["turn"],
        token=token,
        leased_at_ms=now,
        leased_at=began,
        messages=tuple(decode(body) for body in messages if body),
        carried=tuple(decode(body) for body in carried if body),
        waiting=waiting,
        replayed=bool(replayed),
        attempts=int(fields.get("attempts", 0)),
        unfinished=int(fields.get("unfinished", 1)),
        looks=int(fields.get("looks", 0)),
        asks=int(fields.get("asks", 0)),
        stale=int(fields.get("stale", 0)),
        answer=decode_answer(fields.get("answer", "")),
        answered=tuple(map(MessageId, orjson.loads(fields.get("answered") or "[]"))),
        answered_at_ms=int(fields.get("answered_at", 0)),
        session=fields.get("session", ""),
        parts=tuple(orjson.loads(fields.get("parts") or "[]")),
        asked=fields.get("asked", ""),
        ledger=read_ledger(rows(ledger)),
        situation=read_situation(situation, read_at=began),
        said=read_words(words),
        topped=bool(topped),
    )


def read_ledger(stored: Mapping[str, str]) -> dict[str, LedgerEntry]:
    """A turn's ledger: its parts, each with where it stands."""
    return {part: _entry(text) for part, text in stored.items()}


def letter(
    turn: Turn, ids: Sequence[MessageId], dead: Dead, *, answer: Completion | None, parts: Sequence[str], at_ms: int
) -> bytes:
    """A turn as a dead letter: what the operator sees of it, and what a replay, or the echo of its answer, goes on with."""
    return orjson.dumps(
        {
            "id": turn.id,
            "location_id": turn.lane.location_id,
            "contact_id": turn.lane.contact_id,
            "conversation_id": turn.messages[0].conversation_id,
            "message_ids": ids,
            "channel": turn.messages[0].message_type,
            "error": dead.error,
            "attempts": turn.attempts + 1,
            "failed_at": at_ms,
            "answer": encode_answer(answer) if answer else "",
            "answered": orjson.dumps(ids).decode(),
            "answered_at": turn.answered_at_ms or at_ms,
            "asks": turn.asks,
            "parts": orjson.dumps(parts).decode(),
            "said": asked_of(turn, ids),
            "carried": taken_along(turn, ids),
        }
    )


def outcome(ended: Ended) -> dict[str, str]:
    """What is written into a message's record when it ends."""
    replies = orjson.dumps(ended.reply_message_ids).decode()
    return {"status": ended.status, "reason": ended.reason or "", "facts": ended.facts, "replies": replies}


def event_of(ended: Ended) -> dict[str, Any]:
    """The end as an event of the timeline."""
    event: dict[str, Any] = {"step": ended.status, "message_ids": ended.message_ids}
    if ended.reason:
        event |= {"reason": ended.reason, "facts": ended.facts}
    if ended.reply_message_ids:
        event["reply_ids"] = ended.reply_message_ids
    return event


def words_id(turn: Turn, part: str, ids: Sequence[MessageId]) -> MessageId:
    """Under which id the words of a part are on record: GHL's, or ours where GHL's answer held none."""
    return ids[0] if ids else MessageId(f"{turn.id}-{part}")


def posted_patch(turn: Turn, posted: Posted) -> dict[str, Any]:
    """What the scripts are told of a part that is in GHL. One that says nothing to the contact is a draft."""
    posting, ids, at_ms = posted.posting, posted.message_ids, posted.at_ms
    entry = LedgerEntry(state=SendState.SENT, at_ms=at_ms, message_ids=ids, last=posting.last, draft=not posting.said)
    event = {"step": "sent", "part": posting.part, "reply_ids": ids, "how": posted.how}
    heard = [(at_ms, said(words_id(turn, posting.part, ids), "assistant", posting.said))] if posting.said else []
    return {
        "ledger": {posting.part: entry},
        "own": list(ids),
        "said": heard,
        "welcomed": ["ghl"],
        "sent": orjson.dumps(event).decode(),
    }


def is_claim_true(turn: Turn, ended: Ended) -> bool | None:
    """Whether a provider's word that it delivered turned out true; None without such a word, or without an outcome."""
    if turn.answer is None or not turn.answer.claims_delivery:
        return None
    return {Status.DELIVERED_BY_PROVIDER: True, Status.REPLIED: False}.get(ended.status)


def is_reply(ended: Ended) -> bool:
    """Whether the contact has heard of us by this end."""
    return ended.status in {Status.REPLIED, Status.DELIVERED_BY_PROVIDER}


def words_of(turn: Turn, ended: Ended) -> list[tuple[int, str]]:
    """What the record keeps of this end, each with its time (ms): the contact's words, and a reply that another delivered."""
    words = asked_of(turn, ended.message_ids)
    if ended.said:
        reply = ended.reply_message_ids[0] if ended.reply_message_ids else MessageId(turn.id)
        words.append((turn.leased_at_ms, said(reply, "assistant", ended.said)))
    return words


def asked_of(turn: Turn, ids: Sequence[MessageId]) -> list[tuple[int, str]]:
    """The contact's words in these messages and in those that were taken along, each with its time (ms)."""
    asked = {*ids, *taken_along(turn, ids)}
    heard = [message for message in (*turn.carried, *turn.messages) if message.id in asked and message.text.strip()]
    return [(message.date_added_ms or turn.leased_at_ms, said_by_contact(message)) for message in heard]


def taken_along(turn: Turn, ids: Sequence[MessageId]) -> list[MessageId]:
    """Which carried messages these messages' question holds: those of the same line."""
    lines = {message.line for message in turn.messages if message.id in ids} | {UNKNOWN_LINE}
    return [message.id for message in turn.carried if message.line in lines]


def _entry(text: str) -> LedgerEntry:
    fields = orjson.loads(text)
    return LedgerEntry(
        state=SendState(fields["state"]),
        at_ms=fields["at_ms"],
        message_ids=tuple(fields["message_ids"]),
        last=fields.get("last", False),
        draft=fields.get("draft", False),
    )
