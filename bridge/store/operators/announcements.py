"""Announcements: texts that are delivered once, by any process: posted like alerts, or by e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bridge.store.operators.alerts import Outbox
from bridge.store.redis.connection import key, reaching
from bridge.store.redis.lua import script

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

Way = Literal["outbox", "mail"]
# Longer than the week in which a report may be announced.
REMEMBERED_MS = 14 * 24 * 3600 * 1000


class Announcements:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._announce = redis.register_script(script("announce"))
        self.mail = Outbox(redis, key("alerts", "mail"), lease=key("alerts", "mailing"))

    def is_done(self, what: str) -> bool:
        """Whether it was announced before."""
        with reaching("look for an announcement"):
            return bool(self._redis.exists(key("announced", what)))

    def announce(self, what: str, text: str, *, way: Way) -> bool:
        """Put a text on the list; False if it was announced before."""
        with reaching("announce a report"):
            return bool(self._announce(args=[what, way, text, REMEMBERED_MS]))
