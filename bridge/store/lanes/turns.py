"""Reads a turn from the result of `lease.lua`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import LedgerEntry, MessageId, Rollback, SendState, Turn
from bridge.policy.rollbacks import must_look
from bridge.store.lanes.messages import decode, decode_answer
from bridge.store.lanes.situations import read_situation
from bridge.store.lanes.transcripts import parse_entries
from bridge.store.redis.connection import rows, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.model import InboundMessage, Lane


def read_turn(lane: Lane, token: str, called: tuple[float, float], answer: Sequence[Any]) -> Turn:
    """The leased turn. `called` is this process' clock (s) before and after the call of the script."""
    began, ended = called
    now, replayed, waiting, record, ledger, messages, carried, situation, words, backfilled, ghl, person, rollback, _ = answer
    fields = rows(record)
    decoded = tuple(decode(body) for body in messages if body)
    return Turn(
        lane=lane,
        id=fields["turn"],
        token=token,
        leased_at_ms=now,
        leased_at=began,
        lease_took=ended - began,
        messages=decoded,
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
        said=parse_entries(words),
        backfilled=bool(backfilled),
        asked_for=fields.get("asked_for", ""),
        usage=fields.get("usage", ""),
        person=person,
        ghl_down=text(ghl[0]),
        ghl_doubted=bool(ghl[1]),
        rollback=_rollback(fields, decoded, *map(int, rollback)),
    )


def _rollback(
    fields: Mapping[str, str], messages: Sequence[InboundMessage], at_ms: int, certain_at_ms: int, began_ms: int
) -> Rollback | None:
    """The rollback after which this turn must look into GHL; None if there was none, or the look is done."""
    if not at_ms:
        return None
    rollback = Rollback(at_ms=at_ms, certain=bool(certain_at_ms))
    looked, for_turn = int(fields.get("looked", 0)), int(fields.get("looked_for_turn", 0))
    due = must_look(rollback, looked_ms=looked, looked_for_turn_ms=for_turn, began_ms=began_ms, messages=messages)
    return rollback if due else None


def read_ledger(stored: Mapping[str, str]) -> dict[str, LedgerEntry]:
    """A turn's ledger: its parts, each with its state."""
    return {part: _entry(text) for part, text in stored.items()}


def _entry(text: str) -> LedgerEntry:
    fields = orjson.loads(text)
    return LedgerEntry(
        state=SendState(fields["state"]),
        at_ms=fields["at_ms"],
        message_ids=tuple(fields["message_ids"]),
        last=fields.get("last", False),
        draft=fields.get("draft", False),
        answered=fields.get("answered", False),
    )
