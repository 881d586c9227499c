"""How a turn is read from what `lease.lua` answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import LedgerEntry, MessageId, SendState, Turn
from bridge.store.lanes.messages import decode, decode_answer
from bridge.store.lanes.situations import read_situation
from bridge.store.lanes.transcripts import read_words
from bridge.store.redis.connection import rows, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.model import Lane


def read_turn(lane: Lane, token: str, began: float, answer: Sequence[Any]) -> Turn:
    """The leased turn. `began` is this process' clock before the lease was asked for."""
    now, replayed, waiting, record, ledger, messages, carried, situation, words, topped, ghl, person, _ = answer
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
        asked_for=fields.get("asked_for", ""),
        usage=fields.get("usage", ""),
        person=person,
        ghl_down=text(ghl[0]),
        ghl_doubted=bool(ghl[1]),
    )


def read_ledger(stored: Mapping[str, str]) -> dict[str, LedgerEntry]:
    """A turn's ledger: its parts, each with where it stands."""
    return {part: _entry(text) for part, text in stored.items()}


def _entry(text: str) -> LedgerEntry:
    fields = orjson.loads(text)
    return LedgerEntry(
        state=SendState(fields["state"]),
        at_ms=fields["at_ms"],
        message_ids=tuple(fields["message_ids"]),
        last=fields.get("last", False),
        draft=fields.get("draft", False),
    )
