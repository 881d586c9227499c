"""The installation's id, stored in Redis, which distinguishes two bridges on one broker."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME, key

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

ID_LENGTH = 12


def installation_id(redis: Redis) -> str:
    """The id; the first call creates it. A replica returns it too. Raises Unavailable."""
    with reaching("return the installation's id"):
        known = redis.get(key("installation"))
        return text(known or redis.register_script(script("installation"))(keys=[HOME], args=[uuid4().hex[:ID_LENGTH]]))
