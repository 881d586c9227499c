"""The installation's id, kept with the state: what two bridges on one broker are told apart by."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from bridge.store.redis.connection import key, reaching, text
from bridge.store.redis.lua import script

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

ID_LENGTH = 12


def installation_id(redis: Redis) -> str:
    """The id; the first to ask makes it. A replica tells it too. Raises Unavailable."""
    with reaching("tell the installation's id"):
        known = redis.get(key("installation"))
        return text(known or redis.register_script(script("installation"))(args=[uuid4().hex[:ID_LENGTH]]))
