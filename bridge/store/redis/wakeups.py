"""Wake-ups: scripts publish one when a lane may be due earlier than a dispatcher expects. A lost one costs a second at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.client import PubSub

from bridge.store.redis.connection import key, reaching

if TYPE_CHECKING:
    from redis import Redis


class WakeUpListener:
    """One listener. Raises Unavailable when Redis can't be reached; the next `wait` subscribes again."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listening: PubSub | None = None

    def wait(self, seconds: float) -> None:
        """Return at the next ring, or after `seconds`."""
        with reaching("listen for wake-ups"):
            try:
                if self._listening is None:
                    self._listening = PubSub(self._redis.connection_pool, ignore_subscribe_messages=True)
                    self._listening.subscribe(key("wake"))
                if self._listening.get_message(timeout=seconds):
                    self._drain(self._listening)
            except Exception:
                self.close()
                raise

    @staticmethod
    def _drain(listening: PubSub) -> None:
        """Many rings are one: the next claim sees all that is due."""
        while listening.get_message(timeout=0):
            pass

    def close(self) -> None:
        """Stop listening."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.close()
