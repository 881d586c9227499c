"""The patch that turns a turn into a dead letter, for `release.lua`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bridge.model import Status
from bridge.store.lanes.excerpts import excerpt_field, excerpt_patch
from bridge.store.lanes.messages import encode_answer
from bridge.store.lanes.transcripts import carried_in_question, question_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.model import Completion, Dead, MessageId, Turn
    from bridge.store.lanes.excerpts import SealedExcerpt
    from bridge.store.lanes.patch import Held, Patch


def dead(
    turn: Turn,
    ids: Sequence[MessageId],
    outcome: Dead,
    *,
    answer: Completion | None,
    parts: Sequence[str],
    at_ms: int,
    excerpt: SealedExcerpt | None,
) -> Patch:
    """Turn the messages into a dead letter; if the location is on hold now, `held` is written instead.

    `excerpt` is a service's failed answer.
    """
    stored, id_field = excerpt_patch(turn, excerpt), excerpt_field(turn, excerpt)
    waits = {"step": "waiting", "why": f"the location is on hold: {outcome.error}", **id_field}
    record = _dead_letter(turn, ids, outcome, answer=answer, parts=parts, at_ms=at_ms, **id_field)
    held: Held = {"messages": {id_: {"status": Status.WAITING} for id_ in ids}, "events": [orjson.dumps(waits).decode()]}
    if stored:
        held["excerpt"] = stored
    return {
        "messages": {id_: {"status": Status.DEAD, "error": outcome.error} for id_ in ids},
        "done": list(ids),
        "dead": {"id": turn.id, "record": record.decode()},
        "refused": outcome.refused,
        "held": held,
        "events": [
            {"step": "dead", "error": outcome.error, "attempts": turn.attempts + 1, "dead_letter_id": turn.id, **id_field}
        ],
        "excerpt": stored,
    }


def _dead_letter(
    turn: Turn,
    ids: Sequence[MessageId],
    outcome: Dead,
    *,
    answer: Completion | None,
    parts: Sequence[str],
    at_ms: int,
    excerpt_id: str = "",
) -> bytes:
    """The dead letter of a turn: what operators see, and what is needed for a replay or when GHL reports its reply.

    `excerpt_id`: the id under which the service's answer is stored.
    """
    return orjson.dumps(
        {
            "id": turn.id,
            "location_id": turn.lane.location_id,
            "contact_id": turn.lane.contact_id,
            "conversation_id": turn.messages[0].conversation_id,
            "message_ids": ids,
            "channel": turn.messages[0].message_type,
            "error": outcome.error,
            "attempts": turn.attempts + 1,
            "failed_at": at_ms,
            "answer": encode_answer(answer) if answer else "",
            "answered": orjson.dumps(ids).decode(),
            "answered_at": turn.answered_at_ms or at_ms,
            "asks": turn.asks,
            "parts": orjson.dumps(parts).decode(),
            "said": question_entries(turn, ids),
            "carried": carried_in_question(turn, ids),
            "excerpt_id": excerpt_id,
            **({"asked_for": turn.asked_for} if turn.asked_for else {}),
        }
    )
