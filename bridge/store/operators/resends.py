"""Resends undelivered replies for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import orjson

from bridge.model import Completion
from bridge.store.lanes.messages import encode, encode_answer
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import key, key_at, prefix_of, turn_id

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import InboundMessage
    from bridge.store.figures.deliveries import Undelivered

# Not the name of a provider: the bridge posts this reply, also if the provider posts by itself.
BY_HAND = "operator"
Resent = Literal["replayed", "closed", "newer"]


class Resends:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._resend = redis.register_script(script("resend"))
        self._retention_ms = retention_ms

    def ids_of(self, one: Undelivered) -> tuple[str, ...]:
        """All ids of a reply: GHL gives an e-mail several."""
        with reaching(f"read the ids of reply {one.reply_id}"):
            turn = self._redis.get(key("own", one.lane.location_id, one.reply_id))
            parts = self._redis.hvals(key_at(prefix_of(one.lane), "ledger", text(turn).partition(" ")[0])) if turn else []
        known = [orjson.loads(text(part))["message_ids"] for part in parts]
        return next((tuple(ids) for ids in known if one.reply_id in ids), (one.reply_id,))

    def resend(self, one: Undelivered, answered: InboundMessage, answer: str, *, force: bool) -> Resent:
        """Send `answer` again as the reply to `answered`, which gets the outcome of this attempt."""
        id_, event = turn_id(one.lane), {"step": "replayed", "by": "an operator", "undelivered": one.reply_id}
        args: list[str | bytes | int] = [
            f"{one.lane} {one.reply_id} {one.channel}",
            orjson.dumps(_dead_letter(id_, one, answered, answer)),
            encode(answered),
            answered.line,
            int(force),
            orjson.dumps({**event, "message_ids": [answered.id], "dead_letter_id": id_}),
            self._retention_ms,
        ]
        with reaching(f"send reply {one.reply_id} once more"):
            result = text(self._resend(keys=[prefix_of(one.lane)], args=args))
        return "replayed" if result == "replayed" else "newer" if result == "newer" else "closed"


def _dead_letter(id_: str, one: Undelivered, answered: InboundMessage, answer: str) -> dict[str, object]:
    ids = orjson.dumps([answered.id]).decode()
    return {
        "id": id_,
        "location_id": one.lane.location_id,
        "contact_id": one.lane.contact_id,
        "conversation_id": answered.conversation_id,
        "message_ids": [answered.id],
        "channel": answered.message_type,
        "error": f"reply {one.reply_id} did not reach the contact",
        "attempts": 0,
        "failed_at": one.at_ms,
        "answer": encode_answer(Completion(text=answer, provider=BY_HAND)),
        "answered": ids,
        "answered_at": one.at_ms,
        "asks": 1,
        "parts": "",
        "said": [],
        "carried": [],
    }
