"""The inbox: the one write between a webhook and its 202."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast
from uuid import uuid4

import orjson
from anyio import to_thread

from bridge.errors import Unavailable
from bridge.model import UNKNOWN_LINE, Channel, Lane
from bridge.policy.authors import Author
from bridge.policy.media import attachments_of
from bridge.policy.normalise import digest
from bridge.policy.stop_words import forms, starts
from bridge.store.lanes.messages import encode
from bridge.store.lanes.outbound import ON_LOOP_CHARACTERS, outbound_fields
from bridge.store.lanes.phrases import event_in_short
from bridge.store.lanes.pseudonyms import digests
from bridge.store.lanes.standings import contact_args
from bridge.store.redis.cluster_pipelines import pipelines_to
from bridge.store.redis.confirmations import NO_CONFIRMATION
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import key, prefix_of
from bridge.store.redis.retention import REMEMBERED_MS
from bridge.store.redis.writable import NO_LOCATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redis.asyncio import Redis

    from bridge.model import ContactUpdate, Ignored, InboundMessage, LocationId, OutboundMessage
    from bridge.store.redis.confirmations import Confirmation

Accepted = Literal["accepted", "duplicate", "unknown_location", "skipped", "overflow", "stop_word", "unconfigured"]

# No person writes that many messages before an answer.
MOST_WAITING = 1000


class Inbox:
    """Accepts messages durably.

    `retention_ms` is how long timelines and finished messages are kept, `seconds` the limit for the write and its `confirmation`.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        retention_ms: int,
        seconds: float = 1.0,
        fernet_keys: Sequence[str] = (),
        confirmation: Confirmation = NO_CONFIRMATION,
    ) -> None:
        self._redis = redis
        self._accept = redis.register_script(script("accept"))
        self._observe = redis.register_script(script("observe"))
        self._contact = redis.register_script(script("contact"))
        self._sweep_soon = redis.register_script(script("sweep_soon"))
        self._retention_ms = retention_ms
        self._pipelines = pipelines_to(redis, seconds=seconds, confirmation=confirmation)
        self._fernet_keys = tuple(fernet_keys)

    async def accept(self, message: InboundMessage, *, marketplace: bool = True) -> Accepted:
        """Append a message to its lane; `marketplace`: it came from an event. Raises Unavailable if it may not be stored."""
        event = accepted_event(message)
        return await self._write(message.lane, message, inbound_fields(message, event, marketplace=marketplace))

    async def note(self, ignored: Ignored) -> Accepted:
        """Record an event of a contact that needs no answer, so that `explain` shows it. Raises Unavailable."""
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
            "event": event_in_short(event),
            "reason": ignored.reason,
        }
        return await self._write(lane, None, what)

    async def workflow_hash(self, location_id: LocationId) -> str:
        """The keyed hash of a location's own workflow secret; empty if it has none. Raises Unavailable."""
        with reaching(f"read the workflow secret of {location_id}"):
            return await self._pipelines.ask("HGET", key("location", location_id), "workflow_hash") or ""

    async def observe(self, message: OutboundMessage) -> None:
        """Record an outbound message. Raises Unavailable if it may not be stored."""
        long = len(message.text) > ON_LOOP_CHARACTERS
        document = await to_thread.run_sync(outbound_fields, message) if long else outbound_fields(message)
        with reaching(f"note outbound message {message.id}"):
            args = (str(message.lane), orjson.dumps([document]), 1, self._retention_ms, "")
            # A person's message counts at once; a campaign's may wait for others.
            patient = document["by"] in {Author.AUTOMATION, Author.NOBODY}
            observed = int(await self._pipelines.run(self._observe, args, at=prefix_of(message.lane), patient=patient))
        if observed < 0:
            raise Unavailable(NO_LOCATION)

    async def update(self, update: ContactUpdate) -> None:
        """Record a contact's data from an event. Raises Unavailable if it may not be stored."""
        with reaching(f"note an event of contact {update.contact_id}"):
            args = contact_args(update, self._retention_ms)
            await self._pipelines.run(self._contact, args, at=prefix_of(update.lane), patient=True)

    async def sweep_soon(self, location_id: LocationId, *, seconds: float) -> None:
        """Schedule a sweep of the location soon, if it is swept at all. Raises Unavailable."""
        with reaching(f"plan a sweep of {location_id}"):
            await self._pipelines.run(self._sweep_soon, (location_id, round(seconds * 1000)), at=prefix_of(location_id))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _write(self, lane: Lane, message: InboundMessage | None, what: Mapping[str, object]) -> Accepted:
        args = accept_args(lane, what, message, retention_ms=self._retention_ms, fernet_keys=self._fernet_keys)
        with reaching(f"accept message {what['id']}"):
            outcome = await self._pipelines.run_together(self._accept, args, at=prefix_of(lane))
        if outcome == "no_location":
            raise Unavailable(NO_LOCATION)
        return cast("Accepted", outcome)


def accept_args(
    lane: Lane, what: Mapping[str, object], message: InboundMessage | None, *, retention_ms: int, fernet_keys: Sequence[str]
) -> list[str | bytes | int]:
    """The accept script's arguments. Without a `message` no content is stored, because it needs no answer."""
    document = orjson.dumps({**what, "erased": digests(lane, fernet_keys)})
    body = encode(message) if message else b""
    return [str(lane), uuid4().hex, document, body, REMEMBERED_MS, retention_ms, MOST_WAITING]


def accepted_event(message: InboundMessage) -> dict[str, object]:
    """The timeline's event for an accepted message."""
    return {
        "step": "accepted",
        "message_id": message.id,
        "channel": message.message_type,
        "date_added_ms": message.date_added_ms,
        "characters": len(message.text),
        **({"files": [each.kind for each in attachments_of(message)]} if message.attachments else {}),
    }


def inbound_fields(message: InboundMessage, event: Mapping[str, object], *, marketplace: bool = True) -> dict[str, object]:
    """The script's argument for a message that needs an answer."""
    return {
        "id": message.id,
        "webhook_id": message.webhook_id,
        "conversation_id": message.conversation_id,
        "event": event_in_short(event),
        "reason": "",
        "line": message.line,
        # The channel of a workflow webhook may become known later; an opt-out counts now, for any channel it may have come from.
        "channels": list(Channel) if message.line == UNKNOWN_LINE or message.channel is Channel.UNKNOWN else [message.channel],
        "forms": forms(message.text),
        # A message without an id must first be looked up in GHL.
        "words": "" if message.provisional else digest(message.text),
        "start": starts(message.text),
        "at": message.date_added_ms,
        "marketplace": marketplace,
    }
