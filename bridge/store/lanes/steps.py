"""What each step of a turn writes: one patch (`patch.Patch`) per step, for `record.lua` and `release.lua`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from bridge.model import LedgerEntry, MessageId, SendState, Status
from bridge.policy.delivery import noted_as
from bridge.policy.normalise import digest
from bridge.store.lanes.ends import event_of, is_claim_true, is_reply, outcome
from bridge.store.lanes.excerpts import excerpt_field, excerpt_patch
from bridge.store.lanes.messages import encode
from bridge.store.lanes.phrases import event_in_short
from bridge.store.lanes.transcripts import carried_in_question, end_entries, transcript_entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.model import Again, Ended, HandedOver, InboundMessage, PastMessage, Posted, Posting, Turn
    from bridge.store.lanes.excerpts import SealedExcerpt
    from bridge.store.lanes.patch import HandoverPatch, Patch

# The ledger's entry for a provider that may deliver by itself.
ASK = "ask"
# Fields in which an empty value has a meaning: no wait, no claim, no outcome of one, an empty list of GHL's.
MAY_BE_EMPTY = frozenset({"wait_ms", "claimed", "seen", "listed"})


def document(turn: Turn, patch: Patch) -> bytes:
    """A patch as JSON for the scripts; its `nonce` identifies this write if it is sent twice."""
    return orjson.dumps(_fields(turn, patch))


def _fields(turn: Turn, patch: Patch) -> dict[str, object]:
    fields: dict[str, object] = {
        name: value for name, value in patch.items() if value or (value is not None and name in MAY_BE_EMPTY)
    }
    fields["ledger"] = {part: _entry_json(entry) for part, entry in patch.get("ledger", {}).items()}
    fields["events"] = [event_in_short(event) for event in patch.get("events", ())]
    if "first" in patch:
        fields["first"] = _fields(turn, patch["first"])
    return fields | {"turn": turn.id, "nonce": uuid4().hex}


def _entry_json(entry: LedgerEntry) -> str:
    """An entry as JSON, without the flags that are not set."""
    fields = {name: getattr(entry, name) for name in entry.__slots__}
    return orjson.dumps({name: value for name, value in fields.items() if value is not False}).decode()


def asking(
    turn: Turn,
    ids: Sequence[MessageId],
    *,
    at_ms: int,
    provider: str,
    may_deliver: bool,
    listed: Sequence[PastMessage] | None,
    is_first: bool,
) -> Patch:
    """A provider is about to be asked; in the ledger too if it may deliver by itself. `is_first`: no earlier answer is known.

    `listed` is GHL's list of the conversation, None if it was not read. Until a delivery is resolved, the turn has only these
    ids.
    """
    entry = LedgerEntry(state=SendState.ASKING, at_ms=at_ms)
    forgotten: dict[str, int | str] = {"answer": "", "answered": "", "parts": "", "claimed": "", "looks": 0, "stale": turn.stale}
    known: dict[str, int | str] = {"asks": turn.asks + may_deliver, "asked": provider}
    known |= {"answered": orjson.dumps(ids).decode()} if may_deliver else {}
    patch: Patch = {
        "messages": {id_: {"status": Status.ANSWERING} for id_ in ids},
        "lane": known if is_first else {**forgotten, **known},
        "ledger": {ASK: entry} if may_deliver else {},
        "events": [{"step": "asking", "provider": provider, "message_ids": ids, "attempt": turn.attempts + 1}],
    }
    if listed is not None:
        patch["listed"] = [(one.at_ms, transcript_entry(one.id, one.role, one.content, one.files)) for one in listed]
    return patch


def unanswered(turn: Turn, *, at_ms: int, provider: str, why: str, may_deliver: bool, excerpt: SealedExcerpt | None) -> Patch:
    """A provider certainly delivered nothing; `excerpt` is its answer."""
    return {
        "lane": {"answered": ""} if may_deliver else {},
        "ledger": {ASK: LedgerEntry(state=SendState.NOT_SENT, at_ms=at_ms)} if may_deliver else {},
        "events": [{"step": "unanswered", "provider": provider, "why": why, **excerpt_field(turn, excerpt)}],
        "excerpt": excerpt_patch(turn, excerpt),
    }


def doubtful(*, asked_at_ms: int) -> Patch:
    """A provider may have delivered, and its answer doesn't say whether it did."""
    return {"ledger": {ASK: LedgerEntry(state=SendState.ASKING, at_ms=asked_at_ms, answered=True)}}


def sending(posting: Posting, *, at_ms: int, channel: str, waited: tuple[str, float] | None = None) -> Patch:
    """A part is about to be posted; `waited`: GHL's refusal of the attempt before, and the wait (s) after it."""
    event = {"step": "sending", "part": posting.part, "type": channel, "characters": len(posting.said)}
    parts = {"parts": orjson.dumps(posting.parts).decode()} if posting.parts else {}
    return {
        "lane": {"looks": 0, **parts},
        "ledger": {posting.part: LedgerEntry(state=SendState.SENDING, at_ms=at_ms, last=posting.last)},
        "posting": {posting.part: [digest(posting.text)]},
        "unless_there": [posting.part, *([ASK] if posting.parts else [])],
        "events": [*_refused(posting, waited), {**event, "shortened": True} if posting.shortened else event],
    }


def _refused(posting: Posting, waited: tuple[str, float] | None) -> list[dict[str, Any]]:
    if waited is None:
        return []
    why, seconds = waited
    return [{"step": "waited_out", "part": posting.part, "why": why, "seconds": round(seconds, 3)}]


def not_sent(posting: Posting, *, at_ms: int) -> Patch:
    """A part is proven not to be in GHL."""
    entry = LedgerEntry(state=SendState.NOT_SENT, at_ms=at_ms, last=posting.last)
    return {"ledger": {posting.part: entry}, "events": [{"step": "not_sent", "part": posting.part}]}


def sent(turn: Turn, posted: Posted) -> Patch:
    """A part is in GHL, with ids that are the bridge's own now. A part that the contact can't see is a draft."""
    posting, ids, at_ms = posted.posting, posted.message_ids, posted.at_ms
    entry = LedgerEntry(state=SendState.SENT, at_ms=at_ms, message_ids=ids, last=posting.last, draft=not posting.said)
    event = {"step": "sent", "part": posting.part, "reply_ids": ids, "how": posted.how}
    entries = [(at_ms, transcript_entry(entry_id(turn, posting.part, ids), "assistant", posting.said))] if posting.said else []
    return {
        "ledger": {posting.part: entry},
        "own": list(ids),
        "said": entries,
        "welcomed": ["ghl"],
        "sent": event_in_short(event),
        "taken": posted.channel,
        "delivery": _delivery_state(posted),
    }


def _delivery_state(posted: Posted) -> Mapping[str, str] | None:
    """The delivery state in GHL's answer to a post, for `parts/delivery.lua`; None for a draft, or without a state."""
    noted = noted_as(posted.status)
    if not (noted and posted.message_ids and posted.channel):
        return None
    return {"id": posted.message_ids[0], "delivery": noted, "status": posted.status, "channel": posted.channel}


def known(messages: Sequence[InboundMessage], *, event: dict[str, Any]) -> Patch:
    """Messages with their new data."""
    return {"messages": {one.id: {"body": encode(one).decode()} for one in messages}, "events": [event]}


def stopped(channel: str, *, at_ms: int, event: dict[str, Any], spoken: bool = False) -> Patch:
    """The contact opted out of a channel, by a message that is only known now; `spoken`: in a voice note."""
    return {"stop": [channel, at_ms], "spoken": spoken, "events": [event]}


def skipped(turn: Turn, ended: Ended) -> Patch:
    """The outcomes of some messages."""
    return {
        "messages": {id_: outcome(ended) for id_ in ended.message_ids},
        "done": ended.message_ids,
        "said": end_entries(turn, ended),
        "events": [event_of(ended)],
    }


def ended(turn: Turn, ended: Ended) -> Patch:
    """The outcomes of all messages, and the reply's last part if it isn't recorded yet."""
    over = skipped(turn, ended)
    posted: Patch = sent(turn, ended.posted) if ended.posted else {}
    return {
        **posted,
        **over,
        "carried": carried_in_question(turn, ended.message_ids),
        "own": list(ended.reply_message_ids),
        "said": [*over["said"], *posted.get("said", ())],
        "replied": is_reply(ended),
        "seen": is_claim_true(turn, ended),
        "handover": _handover(ended.handed_over),
        "events": [*([_handover_event(ended.handed_over)] if ended.handed_over else []), *over["events"]],
    }


def _handover(over: HandedOver | None) -> HandoverPatch | None:
    return {"lasts": -1 if over.seconds < 0 else round(over.seconds * 1000)} if over else None


def _handover_event(over: HandedOver) -> dict[str, Any]:
    lasts = {"lasts_seconds": over.seconds, "note_characters": over.note_characters}
    return {"step": "handover", "provider": over.provider, **lasts}


def let_go(turn: Turn) -> Patch:
    """Every message of the turn has been skipped."""
    oldest = min(turn.messages, key=lambda message: message.date_added_ms, default=None)
    return {"carried": carried_in_question(turn, [oldest.id] if oldest else [])}


def again(turn: Turn, ids: Sequence[MessageId], again: Again, *, excerpt: SealedExcerpt | None) -> Patch:
    """The turn is retried; `excerpt` is a service's failed answer."""
    attempts = turn.attempts + again.counts
    event = {"step": "retrying", "why": again.why, "wait_seconds": round(again.wait, 3), "failed_attempts": attempts}
    dropped: dict[str, int | str] = {"answer": "", "answered": "", "parts": "", "stale": turn.stale + 1} if again.stale else {}
    return {
        "messages": {id_: {"status": again.status} for id_ in ids},
        "lane": {"attempts": attempts, "looks": again.looks, **dropped},
        "wait_ms": -1 if again.in_place else round(again.wait * 1000),
        "circuits": again.circuits,
        "until_newer": [] if again.until_newer is None else [again.until_newer],
        "failed": again.counts,
        "unopened": again.unopened,
        "events": [{**event, **excerpt_field(turn, excerpt)}],
        "excerpt": excerpt_patch(turn, excerpt),
    }


def entry_id(turn: Turn, part: str, ids: Sequence[MessageId]) -> MessageId:
    """The id of a part in the transcript: GHL's, or the bridge's own if GHL's answer had none."""
    return ids[0] if ids else MessageId(f"{turn.id}-{part}")
