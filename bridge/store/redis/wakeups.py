"""Wake-ups: scripts publish one when a lane may be due earlier than a dispatcher expects.

The leading dispatcher gets it by its name; without a leader, all get it (parts/wakeups.lua). In a cluster a script sees only the
listeners at its own node, so a dispatcher listens at each. A lost wake-up delays little: `wait` returns when a connection was
lost, even if redis-py has already connected again, or when PINGs stay unanswered.
"""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Any

from redis import RedisError
from redis.client import PubSub
from redis.exceptions import TimeoutError as RedisTimeoutError

from bridge.store.redis.cluster import ClusterRedis, servers_of
from bridge.store.redis.cluster_layout import NodeMissing
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.partitions import PARTITIONS, channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
    """The listener of the dispatcher with this name, at each server that has partitions.

    Raises Unavailable if Redis can't be reached; the next call subscribes again. A node of a cluster that is missing is left out.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._names = (channel("wake"), channel("wake", name))
        self._listening: dict[str, _Listening] = {}

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
            self._subscribe()
            before = {server: one.connected for server, one in self._listening.items()}
            while not unless():
                left = end - time.monotonic()
                try:
                    found = self._messages(max(0.0, min(left, LOOK_SECONDS)))
                except (RedisError, OSError):
                    if not isinstance(self._redis, ClusterRedis):
                        raise
                    return None
                if found:
                    return _partitions(found)
                if self._is_lost(before):
                    return None
                if left <= 0:
                    break
            return frozenset()

    def close(self) -> None:
        """Stop listening."""
        for server in tuple(self._listening):
            self._drop(server)

    def _subscribe(self) -> None:
        """Subscribe and wait for the confirmation, so that no claim comes before it."""
        servers = servers_of(self._redis)
        for gone in self._listening.keys() - servers.keys():
            self._drop(gone)
        for server, ask in servers.items():
            if server not in self._listening:
                try:
                    ask(lambda client, server=server: self._begin(server, client))  # type: ignore[misc]
                except NodeMissing:
                    continue

    def _begin(self, server: str, client: Redis) -> None:
        listening = self._listening[server] = _Listening(client.connection_pool, ignore_subscribe_messages=True)
        began = time.monotonic()
        try:
            listening.subscribe(*self._names)
            for _ in self._names:
                listening.get_message(timeout=LOOK_SECONDS)
        except Exception:
            self._drop(server)
            raise
        if server and time.monotonic() - began >= LOOK_SECONDS:
            self._drop(server)
            raise RedisTimeoutError("it does not confirm a subscription")

    def _messages(self, seconds: float) -> list[str]:
        """The wake-ups that came within this time. One server is waited for by the library, several by all their sockets."""
        only = len(self._listening) == 1
        if not only:
            connections: list[Any] = [one.connection for one in self._listening.values()]
            select.select([one._sock for one in connections if one and one._sock], (), (), seconds)  # noqa: SLF001
        numbers: list[str] = []
        for server, listening in tuple(self._listening.items()):
            try:
                # Many wake-ups count as one: the next claim takes all due lanes.
                message = listening.get_message(timeout=seconds if only else 0)
                while message:
                    numbers.append(text(message["data"]))
                    message = listening.get_message(timeout=0)
            except Exception:
                self._drop(server)
                raise
        return numbers

    def _is_lost(self, before: Mapping[str, int]) -> bool:
        """Whether a connection was lost meanwhile, or does not answer any more."""
        for server, listening in tuple(self._listening.items()):
            if listening.connected != before[server]:
                return True
            if listening.health_check_response_counter > MOST_UNANSWERED:
                self._drop(server)
                return True
        return False

    def _drop(self, server: str) -> None:
        listening = self._listening.pop(server, None)
        if listening is not None:
            listening.close()


def _partitions(numbers: Sequence[str]) -> frozenset[int] | None:
    """The partitions of these wake-ups. None if one of the wake-ups doesn't name its partition."""
    known = frozenset(int(number) for number in numbers if number.isdecimal())
    return known if all(map(str.isdecimal, numbers)) and max(known) < PARTITIONS else None
