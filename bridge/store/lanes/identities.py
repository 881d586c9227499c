"""Messages that came without GHL's id, until their id is known or they turn out to be duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from bridge.errors import Fenced
from bridge.model import UNKNOWN_LINE, Ended, Reason, Status
from bridge.policy.normalise import digest
from bridge.store.lanes.ends import event_of, outcome
from bridge.store.lanes.messages import decode, encode
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import key, prefix_of
from bridge.store.redis.retention import REMEMBERED_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from bridge.model import InboundMessage, Lane, MessageId, Turn
    from bridge.store.lanes.patch import Duplicate


class Identities:
    """The messages of one lane under its lease. Raises Unavailable when Redis can't be reached, Fenced when the lease is lost."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._resolve = redis.register_script(script("resolve"))
        self._retention_ms = retention_ms

    def arrivals(self, lane: Lane, ids: Sequence[MessageId]) -> dict[MessageId, int]:
        """The arrival times of these messages' webhooks, by Redis' clock (ms)."""
        pipe = self._redis.pipeline(transaction=False)
        for id_ in ids:
            pipe.hget(key("message", lane.location_id, id_), "at")
        with reaching(f"read when messages of {lane} came"):
            return {id_: int(at or 0) for id_, at in zip(ids, pipe.execute(), strict=True)}

    def undecided(self, lane: Lane, *, seen: int) -> tuple[InboundMessage, ...]:
        """Messages after the first `seen` of a lane for which it is unknown whether they make an answer outdated."""
        with reaching(f"read what joined {lane}"):
            ids = self._redis.lrange(key("waiting", str(lane)), seen, -1)
            pipe = self._redis.pipeline(transaction=False)
            for id_ in ids:
                pipe.hmget(key("message", lane.location_id, str(id_)), ["line", "body"])
            found = pipe.execute()
        return tuple(decode(body) for line, body in found if line == UNKNOWN_LINE)

    def settle(self, turn: Turn, message: InboundMessage, known: InboundMessage, *, ids: Sequence[MessageId], event: str) -> None:
        """Store a message with its new data; if a message with one of `ids` was accepted before, it ends as a duplicate.

        `ids` are all of GHL's ids for it. Without any the message keeps its own id, unless another webhook with the same words
        arrived at about the same time. `event` is the event for the timeline.
        """
        words = digest(message.text) if message.provisional else ""
        resolved = {"step": "resolved", "message_id": known.id, "provisional_id": message.id, "how": event}
        self._write(turn, message, known, line=known.line, ids=ids, event=resolved, words=words)

    def set_aside(self, turn: Turn, message: InboundMessage) -> None:
        """Mark a message so that it doesn't make an answer outdated."""
        self._write(turn, message, message, line="", ids=(), event={}, words="")

    def _write(
        self,
        turn: Turn,
        message: InboundMessage,
        known: InboundMessage,
        *,
        line: str,
        ids: Sequence[MessageId],
        event: dict[str, Any],
        words: str,
    ) -> None:
        what = {
            "id": message.id,
            "ids": [id_ for id_ in ids if id_ != message.id],
            "line": line,
            "conversation_id": known.conversation_id,
            "event": orjson.dumps(event).decode() if event else "",
            "duplicate": _duplicate(message, ids),
            "words": words,
            "nonce": uuid4().hex,
        }
        document, body = orjson.dumps(what), encode(known)
        args: list[Any] = [str(turn.lane), turn.token, document, body, REMEMBERED_MS, self._retention_ms]
        with reaching(f"write message {message.id} anew"):
            if not self._resolve(keys=[prefix_of(turn.lane)], args=args):
                raise Fenced(f"the lease of {turn.lane} was lost")


def _duplicate(message: InboundMessage, ids: Sequence[MessageId]) -> Duplicate:
    """The record of a duplicate."""
    facts = (
        f"GHL's message {ids[0]}, which was already accepted"
        if ids
        else "another webhook with the same words arrived at about the same time, and GHL lists no second message"
    )
    ended = Ended(status=Status.SKIPPED, message_ids=(message.id,), reason=Reason.DUPLICATE, facts=facts)
    return {"messages": {message.id: outcome(ended)}, "done": [message.id], "events": [orjson.dumps(event_of(ended)).decode()]}
