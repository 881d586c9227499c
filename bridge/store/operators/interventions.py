"""Operators' actions in a conversation: retry at once, answer a skipped message, send a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import orjson

from bridge.model import AskedFor, SendState, Status
from bridge.store.lanes.messages import encode, encode_answer
from bridge.store.lanes.turns import read_ledger
from bridge.store.redis.connection import now_ms, reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import key, key_at, prefix_of, turn_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.model import Completion, InboundMessage, Lane, LocationId, MessageId
    from bridge.store.redis.connection import Redis

Tried = Literal["due", "working", "held", "nothing"]
Queued = Literal["queued", "unknown", "closed"]


class Interventions:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._try_now = redis.register_script(script("try_now"))
        self._answer_again = redis.register_script(script("answer_again"))
        self._retention_ms = retention_ms

    def try_now(self, lane: Lane) -> Tried:
        """Make the lane due now."""
        with reaching(f"let {lane} be tried"):
            return cast(
                "Tried",
                self._try_now(
                    keys=[prefix_of(lane)], args=[str(lane), orjson.dumps({"step": "try_requested"}), self._retention_ms]
                ),
            )

    def answer(self, message: InboundMessage) -> Queued:
        """Queue a skipped message for an answer; repeated calls have no further effect."""
        event = {"step": "answer_requested", "message_ids": [message.id]}
        return self._queue([message], Status.SKIPPED, AskedFor.ANSWER, event)

    def send_draft(self, messages: Sequence[InboundMessage], reply_id: MessageId, draft: Completion) -> Queued:
        """Queue the draft with this id as the reply to these messages; repeated calls have no further effect."""
        event = {"step": "draft_approved", "reply_id": reply_id, "message_ids": [one.id for one in messages]}
        return self._queue(messages, Status.REPLIED, AskedFor.DRAFT, event, reply_id=reply_id, draft=draft)

    def draft_ids(self, location_id: LocationId, reply_id: MessageId) -> tuple[MessageId, ...]:
        """GHL's ids of all parts of the draft with this id, in order; none if it is not a draft of the bridge's."""
        with reaching(f"look for draft {reply_id}"):
            turn = text(self._redis.get(key("own", location_id, reply_id)) or "").partition(" ")[0]
            ledger: Any = self._redis.hgetall(key_at(prefix_of(location_id), "ledger", turn))
        # Texts of the location, such as a note for staff, have names instead of numbers.
        entries = sorted((int(part), entry) for part, entry in read_ledger(ledger).items() if part.isdigit())
        ids = tuple(one for _, entry in entries if entry.draft and entry.state is SendState.SENT for one in entry.message_ids)
        return ids if reply_id in ids else ()

    def _queue(
        self,
        messages: Sequence[InboundMessage],
        status: Status,
        asked_for: AskedFor,
        event: dict[str, Any],
        *,
        reply_id: str = "",
        draft: Completion | None = None,
    ) -> Queued:
        lane, turn = messages[0].lane, turn_id(messages[0].lane)
        with reaching(f"queue messages of {lane}"):
            record = _record(turn, messages, asked_for, draft, at_ms=now_ms(self._redis))
            asked = {
                "messages": [{"id": one.id, "body": encode(one).decode(), "line": one.line} for one in messages],
                "status": status,
                "reply": reply_id,
                "record": orjson.dumps(record).decode(),
                "event": orjson.dumps(event).decode(),
            }
            return cast(
                "Queued",
                self._answer_again(keys=[prefix_of(lane)], args=[str(lane), turn, orjson.dumps(asked), self._retention_ms]),
            )


def _record(
    turn: str, messages: Sequence[InboundMessage], asked_for: AskedFor, draft: Completion | None, *, at_ms: int
) -> dict[str, Any]:
    """The turn in the format of a replayed dead letter, which older processes can run too, with all rules of the location."""
    ids, newest = [one.id for one in messages], messages[-1]
    return {
        "id": turn,
        "location_id": newest.location_id,
        "contact_id": newest.contact_id,
        "conversation_id": newest.conversation_id,
        "message_ids": ids,
        "channel": newest.message_type,
        "error": "",
        "attempts": 0,
        "failed_at": at_ms,
        "answer": encode_answer(draft) if draft else "",
        "answered": orjson.dumps(ids if draft else []).decode(),
        "answered_at": at_ms,
        "asks": 0,
        "parts": "",
        "asked_for": asked_for,
    }
