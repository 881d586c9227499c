"""Wake-ups: scripts ring when a lane may be due earlier than a dispatcher expects.

Whoever leads is rung by its name; all are when nobody does (parts/wakeups.lua). No ring is missed for long: `wait` ends as soon
as its connection was lost, even if redis-py has mended it unasked, or answers no PING.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from redis.client import PubSub

from bridge.store.redis.connection import key, reaching

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

LOOK_SECONDS = 1.0
# PINGs without an answer, one a look: the connection is half open.
MOST_UNANSWERED = 2


class _Listening(PubSub):
    """Knows when it was connected anew: what was rung before that is lost."""

    connected = 0

    def on_connect(self, connection: Any) -> None:
        self.connected += 1
        super().on_connect(connection)


class WakeUpListener:
    """One listener, of the dispatcher of this name.

    Raises Unavailable when Redis can't be reached; the next call subscribes again.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._names = (key("wake"), key("wake", name))
        self._listening: _Listening | None = None

    def listen(self) -> None:
        """Subscribe, unless that is done: what is rung from now on ends the next `wait`."""
        with reaching("listen for wake-ups"):
            self._subscribe()

    def wait(self, seconds: float, *, unless: Callable[[], bool] = lambda: False) -> None:
        """Return at the next ring, after `seconds`, when rings may have been lost, or soon after `unless` has come true."""
        end = time.monotonic() + seconds
        with reaching("listen for wake-ups"):
            try:
                listening = self._subscribe()
                before = listening.connected
                while (left := end - time.monotonic()) > 0 and not unless():
                    if listening.get_message(timeout=min(left, LOOK_SECONDS)):
                        return self._drain(listening)
                    if listening.connected != before:
                        return None
                    if listening.health_check_response_counter > MOST_UNANSWERED:
                        return self.close()
            except Exception:
                self.close()
                raise

    def _subscribe(self) -> _Listening:
        """Its confirmation is waited for, so that no claim comes before it."""
        if self._listening is None:
            listening = _Listening(self._redis.connection_pool, ignore_subscribe_messages=True)
            self._listening = listening
            listening.subscribe(*self._names)
            for _ in self._names:
                listening.get_message(timeout=LOOK_SECONDS)
        return self._listening

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
