"""Messages found by the sweep, accepted by the same script as those of webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from redis import RedisError

from bridge.store.lanes.inbox import accept_args, accepted_event, inbound_fields
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import key, prefix_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from bridge.model import ContactId, InboundMessage, LocationId
    from bridge.store.lanes.inbox import Accepted


class SweptMessages:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int, fernet_keys: Sequence[str]) -> None:
        self._redis = redis
        self._accept = redis.register_script(script("accept"))
        self._retention_ms = retention_ms
        self._fernet_keys = tuple(fernet_keys)

    def recorded(self, location_id: LocationId, contact_ids: Sequence[ContactId]) -> dict[ContactId, int]:
        """The time (ms) of each contact's newest recorded inbound message; 0 for none in the last seven days."""
        with reaching(f"look for recorded messages of {location_id}"):
            found = self._redis.zmscore(key("recorded", location_id), list(contact_ids)) if contact_ids else []
        return {id_: int(at or 0) for id_, at in zip(contact_ids, found, strict=True)}

    def is_known(self, message: InboundMessage) -> bool:
        """Whether a message was accepted before."""
        with reaching(f"look for message {message.id}"):
            names = (key("seen", message.location_id, message.id), key("message", message.location_id, message.id))
            return bool(self._redis.exists(*names))

    def take(self, messages: Sequence[InboundMessage]) -> list[Accepted]:
        """Accept messages of one conversation like those of webhooks, oldest first, in one step.

        If a crash came between two of them, a reply to the first would hide the second from the next sweep.
        """
        calls = [
            accept_args(one.lane, _what(one), one, retention_ms=self._retention_ms, fernet_keys=self._fernet_keys)
            for one in messages
        ]
        if not calls:
            return []
        with reaching(f"accept {len(messages)} messages from {messages[0].id} on"):
            args = [arg for call in calls for arg in call]
            answers = self._accept(keys=[prefix_of(one.lane) for one in messages], args=args)
            for answer in answers:
                if isinstance(answer, RedisError):
                    raise answer
            return cast("list[Accepted]", answers)


def _what(message: InboundMessage) -> dict[str, object]:
    event = {**accepted_event(message), "by": "sweep"}
    return {**inbound_fields(message, event, marketplace=False), "found": True}
