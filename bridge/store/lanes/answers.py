"""A provider's answer until it is stored: saved in a separate step, or together with the record of its first post."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import orjson

from bridge.model import LedgerEntry, SendState
from bridge.policy.guards import DEAF_AFTER
from bridge.policy.normalise import digest
from bridge.policy.usage import usage_of
from bridge.store.lanes.messages import encode_answer
from bridge.store.lanes.situations import WEEK_MS
from bridge.store.lanes.steps import ASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.model import Completion, MessageId, Situation, Turn
    from bridge.store.lanes.patch import ExcerptPatch, Patch, Unchanged


class AnswerDetails(TypedDict):
    """What is saved with an answer.

    `at_ms` is when it arrived (Redis' clock), after `seconds`. `may_claim`: the answer may say who delivers. `circuit` is the
    circuit of the provider. `knowledge` is stored.
    """

    at_ms: int
    seconds: float
    may_deliver: NotRequired[bool]
    may_claim: NotRequired[bool]
    circuit: NotRequired[str]
    knowledge: NotRequired[ExcerptPatch | None]


@dataclass(frozen=True, slots=True)
class UnsavedAnswer:
    """An answer to the messages `ids` that is not stored yet."""

    ids: Sequence[MessageId]
    completion: Completion
    details: AnswerDetails


def patch_of(turn: Turn, ids: Sequence[MessageId], completion: Completion, details: AnswerDetails) -> Patch:
    """The patch that saves an answer."""
    at_ms, seconds, knowledge = details["at_ms"], details["seconds"], details.get("knowledge")
    saved: dict[str, int | str] = {
        "looks": 0,
        "answer": encode_answer(completion),
        "answered": orjson.dumps(ids).decode(),
        "answered_at": at_ms,
        "usage": f"{turn.usage} {usage_of(completion)}".strip(),
    }
    if completion.session_id:
        saved["session"] = completion.session_id
    delivery: Patch = {}
    if details.get("may_deliver"):
        saved["claimed"] = completion.claimed_message_id
        delivery = _delivery(completion, asked_at_ms=at_ms - round(seconds * 1000))
    return {
        "lane": saved,
        "claimed": completion.claims_delivery if details.get("may_claim", True) else None,
        "welcomed": ["provider"],
        "events": [{**_answer_told(completion, seconds), **({"excerpt_id": knowledge["id"]} if knowledge else {})}],
        "excerpt": knowledge,
        "passed": details.get("circuit", ""),
        **delivery,
    }


def along(turn: Turn, answer: UnsavedAnswer | None, judged: Situation | None, *, now_ms: int) -> Patch:
    """The patch of a post's record: an answer to save with it, and the state that must not have changed since the guards."""
    patch: Patch = {}
    if answer:
        patch["first"] = patch_of(turn, answer.ids, answer.completion, answer.details)
    if judged:
        patch["unchanged"] = _unchanged(judged, now_ms=now_ms)
    return patch


def _unchanged(judged: Situation, *, now_ms: int) -> Unchanged:
    settings = sha1(judged.location.get("settings", "").encode(), usedforsecurity=False).hexdigest()
    return {
        "settings": settings,
        "conversation": judged.conversation_id,
        "heard_since": now_ms - WEEK_MS,
        "unheard": DEAF_AFTER - 1,
        "replies": judged.standing.replies,
    }


def _answer_told(completion: Completion, seconds: float) -> dict[str, Any]:
    event: dict[str, Any] = {
        "step": "answered",
        "provider": completion.provider,
        "characters": len(completion.text),
        "seconds": round(seconds, 3),
        "trace_id": completion.trace_id,
        "claimed_message_id": completion.claimed_message_id,
    }
    evidence = {"provider": completion.provider, "milliseconds": round(seconds * 1000), **completion.evidence}
    besides = {"waited_out": completion.waited_out, "notes": completion.notes, "evidence": evidence}
    return {**event, **{name: value for name, value in besides.items() if value}}


def _delivery(completion: Completion, *, asked_at_ms: int) -> Patch:
    """The texts by which a delivery of the provider is recognised, before and after its answer."""
    entry, words = LedgerEntry(state=SendState.NOT_SENT, at_ms=asked_at_ms), digest(completion.delivered_as)
    return {"ledger": {ASK: entry}, "posting": {ASK: [words, asked_at_ms]} if words else {}}
