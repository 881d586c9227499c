"""One node of a cluster on this machine: a process with a folder, a port and an append-only file of its own."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from bridge.cli import redis_server

ASKED_SECONDS = 2.0


@dataclass(slots=True)
class Node:
    """A server of the cluster; acknowledged writes survive `kill` and `start`. Clients get the port `announced`."""

    port: int
    announced: int
    bus_port: int
    url: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it with its data; it answers a moment later."""
        self.process = subprocess.Popen(_ended_with_its_owner(self.command), stdout=subprocess.DEVNULL)  # noqa: S603 - the one that was found

    def wait(self) -> None:
        """Wait until it answers. Raises DidNotWork if it doesn't."""
        if self.process:
            redis_server.wait_for(self.process, self.url)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self.process:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, also if it is stopped."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Shut it down cleanly."""
        self._end(signal.SIGTERM)

    def ask(self, *command: str | int) -> Any:
        """Send one command, with a short timeout. Raises what redis-py raises."""
        with Redis.from_url(self.url, decode_responses=True, socket_timeout=ASKED_SECONDS, retry=Retry(NoBackoff(), 0)) as redis:
            return redis.execute_command(*command)

    def id(self) -> str:
        """Its name in the cluster."""
        return str(self.ask("CLUSTER MYID"))

    def table(self) -> list[dict[str, Any]]:
        """The nodes that it knows, itself included."""
        return list(self.ask("CLUSTER NODES").values())

    def slots(self) -> list[tuple[int, int]]:
        """The first and the last slot of each range that it serves."""
        mine = next(one for one in self.table() if "myself" in one["flags"])
        return [(int(one[0]), int(one[-1])) for one in mine["slots"]]

    def is_primary(self) -> bool:
        """Whether it answers, and as a primary."""
        with contextlib.suppress(RedisError, OSError):
            return str(self.ask("ROLE")[0]) == "master"
        return False

    def _end(self, number: int) -> None:
        if self.process:
            self.process.send_signal(number)
            self.process.wait()


def _ended_with_its_owner(command: list[str]) -> list[str]:
    """Linux kills the server when its owner is killed; elsewhere it is left behind then."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else command
