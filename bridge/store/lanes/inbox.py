"""The inbox: the one write between a webhook and its 202."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast
from uuid import uuid4

import orjson

from bridge.model import UNKNOWN_LINE, Channel, Lane
from bridge.policy.consent import START_WORDS, word_of
from bridge.policy.normalise import digest
from bridge.store.lanes.messages import encode
from bridge.store.lanes.outbound import heard
from bridge.store.lanes.standings import contact_args
from bridge.store.operators.erasures import digests
from bridge.store.redis.connection import key, reaching
from bridge.store.redis.lua import script
from bridge.store.redis.pipelines import Pipelines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redis.asyncio import Redis

    from bridge.model import ContactUpdate, Ignored, InboundMessage, LocationId, OutboundMessage

Accepted = Literal["accepted", "duplicate", "unknown_location", "skipped", "overflow", "stop_word", "unconfigured"]

# GHL's longest published retry schedule ends after 3 days (2026-08); twice that and a day.
REMEMBERED_MS = 7 * 24 * 3600 * 1000
# A person doesn't write so much before an answer comes; what does is a machine.
MOST_WAITING = 1000


class Inbox:
    """Takes messages in durably.

    `retention_ms` is how long timelines and finished messages are kept, `seconds` how long a sender may wait for the write.
    """

    def __init__(self, redis: Redis, *, retention_ms: int, seconds: float = 1.0, fernet_keys: Sequence[str] = ()) -> None:
        self._redis = redis
        self._accept = redis.register_script(script("accept"))
        self._observe = redis.register_script(script("observe"))
        self._contact = redis.register_script(script("contact"))
        self._retention_ms = retention_ms
        self._pipelines = Pipelines(redis, seconds=seconds)
        self._fernet_keys = tuple(fernet_keys)

    async def accept(self, message: InboundMessage, *, marketplace: bool = True) -> Accepted:
        """Append a message to its lane; `marketplace`: an event of GHL's brought it.

        Raises Unavailable when it is not known to be kept.
        """
        event = accepted_event(message)
        return await self._write(message.lane, message, came(message, event, marketplace=marketplace))

    async def note(self, ignored: Ignored) -> Accepted:
        """Record an event of a contact that is not going to be answered, so that it can be explained. Raises Unavailable."""
        event = {
            "step": "ignored",
            "message_id": ignored.message_id,
            "reason": ignored.reason,
            "type": ignored.event_type,
        }
        lane = Lane(ignored.location_id, ignored.contact_id)
        what = {
            "id": ignored.message_id,
            "webhook_id": ignored.webhook_id,
            "conversation_id": ignored.conversation_id,
            "event": orjson.dumps(event).decode(),
            "reason": ignored.reason,
        }
        return await self._write(lane, None, what)

    async def workflow_hash(self, location_id: LocationId) -> str:
        """The keyed hash of a location's own workflow secret; empty if it has none. Raises Unavailable."""
        with reaching(f"read the workflow secret of {location_id}"):
            return await self._pipelines.ask("HGET", key("location", location_id), "workflow_hash") or ""

    async def observe(self, message: OutboundMessage) -> None:
        """Note a message that left a conversation. Raises Unavailable when it is not known to be noted."""
        with reaching(f"note outbound message {message.id}"):
            args = (str(message.lane), orjson.dumps([heard(message)]), 1, self._retention_ms, "")
            await self._pipelines.run(self._observe, args)

    async def update(self, update: ContactUpdate) -> None:
        """Note what an event tells of a contact. Raises Unavailable when it is not known to be noted."""
        with reaching(f"note an event of contact {update.contact_id}"):
            await self._pipelines.run(self._contact, contact_args(update, self._retention_ms))

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def _write(self, lane: Lane, message: InboundMessage | None, what: Mapping[str, object]) -> Accepted:
        args = accept_args(lane, what, message, retention_ms=self._retention_ms, fernet_keys=self._fernet_keys)
        with reaching(f"accept message {what['id']}"):
            return cast("Accepted", await self._pipelines.run_together(self._accept, args))


def accept_args(
    lane: Lane, what: Mapping[str, object], message: InboundMessage | None, *, retention_ms: int, fernet_keys: Sequence[str]
) -> list[str | bytes | int]:
    """The accept script's arguments. Without a `message` nothing of it is kept: it isn't going to be answered."""
    told = orjson.dumps({**what, "erased": digests(lane, fernet_keys)})
    body = encode(message) if message else b""
    return [str(lane), uuid4().hex, told, body, REMEMBERED_MS, retention_ms, MOST_WAITING]


def accepted_event(message: InboundMessage) -> dict[str, object]:
    """What the timeline tells of a message that came in."""
    return {
        "step": "accepted",
        "message_id": message.id,
        "channel": message.message_type,
        "date_added_ms": message.date_added_ms,
        "characters": len(message.text),
    }


def came(message: InboundMessage, event: Mapping[str, object], *, marketplace: bool = True) -> dict[str, object]:
    """What the script is told of a message that wants an answer."""
    word = word_of(message.text)
    return {
        "id": message.id,
        "webhook_id": message.webhook_id,
        "conversation_id": message.conversation_id,
        "event": orjson.dumps(event).decode(),
        "reason": "",
        "line": message.line,
        # By which channel a workflow webhook came may be told later; what it forbids counts now, wherever it may have come from.
        "channels": list(Channel) if message.line == UNKNOWN_LINE or message.channel is Channel.UNKNOWN else [message.channel],
        "word": word,
        # What came without its id is not known for what it is before GHL was asked.
        "words": "" if message.provisional else digest(message.text),
        "start": word in START_WORDS,
        "at": message.date_added_ms,
        "marketplace": marketplace,
    }
