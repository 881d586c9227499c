"""A failover behind one address: a second server takes over from Redis without a loss, and gives back a little later."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from redis import Redis, RedisError

from tests.stored import OwnRedis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class SecondServer:
    """`step` brings the failover on, and says whether it is over; it never waits.

    `first` is Redis as it is without a failover; `lead_to` lets the address lead to another port. Connections to the server that
    has become a replica stay open, as with an address that has moved.
    """

    def __init__(self, first: Redis, folder: Path, seconds: float, lead_to: Callable[[int], object]) -> None:
        known = first.connection_pool.connection_kwargs
        self._first, self._port, self._seconds, self._lead_to = first, known["port"], seconds, lead_to
        password = known["password"]
        first.config_set("masterauth", password)
        first.config_set("repl-diskless-sync-delay", 0)
        self._server = OwnRedis(folder)
        self._server.start()
        self._second = Redis.from_url(self._server.url, decode_responses=True)
        self._there = self._second.connection_pool.connection_kwargs["port"]
        self._second.config_set("masterauth", password)
        self._second.replicaof("127.0.0.1", self._port)
        self._second.config_set("requirepass", password)
        self._second.connection_pool.connection_kwargs["password"] = password
        self._until = 0.0
        self._steps: list[Callable[[], bool]] = [self._promote, self._follow, self._stay, self._give_back, self._return]

    def step(self) -> bool:
        """Go on as far as possible. A server that doesn't answer just now is asked again later."""
        with contextlib.suppress(RedisError):
            while self._steps and self._steps[0]():
                self._steps.pop(0)
        return not self._steps

    def close(self) -> None:
        """Kill it, wherever it is."""
        self._server.kill()

    def _promote(self) -> bool:
        """Once it is in step, the first server stops its writes until the second one has them all, and becomes its replica."""
        if self._first.info("replication").get("slave0", {}).get("state") != "online":
            return False
        self._first.execute_command("FAILOVER", "TO", "127.0.0.1", self._there)  # type: ignore[no-untyped-call] # as the client has it
        return True

    def _follow(self) -> bool:
        if self._second.info("replication")["role"] != "master":
            return False
        self._lead_to(self._there)
        self._until = time.monotonic() + self._seconds
        return True

    def _stay(self) -> bool:
        in_step = self._second.info("replication").get("slave0", {}).get("state") == "online"
        return in_step and time.monotonic() > self._until

    def _give_back(self) -> bool:
        self._second.execute_command("FAILOVER", "TO", "127.0.0.1", self._port)  # type: ignore[no-untyped-call] # as the client has it
        return True

    def _return(self) -> bool:
        if self._first.info("replication")["role"] != "master":
            return False
        self._lead_to(self._port)
        self.close()
        return True
