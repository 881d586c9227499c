"""Wake-ups: scripts publish one when a lane may be due earlier than a dispatcher expects.

The leading dispatcher gets it by its name; without a leader, all get it (parts/wakeups.lua). A lost wake-up delays little: `wait`
returns when its connection was lost, even if redis-py has already connected again, or when PINGs stay unanswered.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from redis.client import PubSub

from bridge.store.redis.connection import reaching, text
from bridge.store.redis.partitions import PARTITIONS, channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

LOOK_SECONDS = 1.0
# With more unanswered PINGs, one per look, the connection counts as half open.
MOST_UNANSWERED = 2


class _Listening(PubSub):
    """Counts its connections, because wake-ups before a reconnection are lost."""

    connected = 0

    def on_connect(self, connection: Any) -> None:
        self.connected += 1
        super().on_connect(connection)


class WakeUpListener:
    """The listener of the dispatcher with this name.

    Raises Unavailable if Redis can't be reached; the next call subscribes again.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._names = (channel("wake"), channel("wake", name))
        self._listening: _Listening | None = None

    def listen(self) -> None:
        """Subscribe, unless already done: a wake-up from now on ends the next `wait`."""
        with reaching("listen for wake-ups"):
            self._subscribe()

    def wait(self, seconds: float, *, unless: Callable[[], bool] = lambda: False) -> frozenset[int] | None:
        """The partitions of the wake-ups that came within `seconds`; returns at the first. Soon after `unless` is true: none.

        None if wake-ups may have been lost.
        """
        end = time.monotonic() + seconds
        with reaching("listen for wake-ups"):
            try:
                listening = self._subscribe()
                before = listening.connected
                while not unless():
                    left = end - time.monotonic()
                    if message := listening.get_message(timeout=max(0.0, min(left, LOOK_SECONDS))):
                        return self._drain(listening, message)
                    if listening.connected != before:
                        return None
                    if listening.health_check_response_counter > MOST_UNANSWERED:
                        self.close()
                        return None
                    if left <= 0:
                        break
            except Exception:
                self.close()
                raise
            return frozenset()

    def _subscribe(self) -> _Listening:
        """Subscribe and wait for the confirmation, so that no claim comes before it."""
        if self._listening is None:
            listening = _Listening(self._redis.connection_pool, ignore_subscribe_messages=True)
            self._listening = listening
            listening.subscribe(*self._names)
            for _ in self._names:
                listening.get_message(timeout=LOOK_SECONDS)
        return self._listening

    @staticmethod
    def _drain(listening: PubSub, message: Any) -> frozenset[int] | None:
        """Many wake-ups count as one: the next claim takes all due lanes. None if one doesn't name its partition."""
        told = []
        while message:
            told.append(text(message["data"]))
            message = listening.get_message(timeout=0)
        known = frozenset(int(number) for number in told if number.isdecimal())
        return known if len(told) == sum(map(str.isdecimal, told)) and max(known) < PARTITIONS else None

    def close(self) -> None:
        """Stop listening."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.close()
