"""A primary and its replica behind one address, instead of the machine's own Redis."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from redis import Redis

from tests.keys import key
from tests.stored import own_redis
from tests.story.machine import poll
from tests.story.strait import Strait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stored import OwnRedis
    from tests.story.machine import Machine, Person


@dataclass(slots=True)
class TwoServers:
    """A primary and its replica behind one address; `link` is the proxy between them."""

    machine: Machine
    front: Strait
    link: Strait
    primary: OwnRedis
    replica: Redis
    replica_process: OwnRedis

    @property
    def primary_port(self) -> int:
        """The primary's port, without the common address."""
        return _port(self.primary)

    @property
    def password(self) -> str:
        """The password of both."""
        return self.primary.url.partition("@")[0].rpartition(":")[2]

    def falls_behind(self) -> None:
        """From now on the replica gets nothing: its data is a copy of this moment."""
        poll("a replica", lambda: self.replica.info("replication")["master_link_status"] == "up")
        self.link.swallow()

    def takes_over(self) -> None:
        """The primary is killed, and the address leads to the replica's data."""
        self.primary.kill()
        self.replica.replicaof("NO", "ONE")
        self.front.lead_to(self.replica.connection_pool.connection_kwargs["port"])
        self.front.cut()
        self.machine.ready()

    def location(self, **settings: Any) -> str:
        """Apply a new location."""
        location = f"L{uuid4().hex[:19]}"
        self.machine.apply(**{location: settings})
        return location

    def people(self, location: str, count: int) -> list[Person]:
        return [self.machine.person(location) for _ in range(count)]

    def swept(self, location: str) -> None:
        """Wait for a complete sweep."""
        poll("a sweep", lambda: int(self.machine.redis.hget(key("sweep", location), "since") or 0))

    def troubles(self) -> list[str]:
        """The problems in `/readyz`."""
        names: list[str] = self.machine.http.get(f"{self.machine.url}/readyz").json()["troubles"]
        return names


def _port(server: OwnRedis) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


@contextmanager
def two_servers(machine: Machine, folder: Path, **environ: str) -> Iterator[TwoServers]:
    """The machine's processes with their own two servers."""
    before = machine.redis, machine.environ["REDIS_URL"]
    with ExitStack() as stack:
        primary, replica = (stack.enter_context(own_redis(folder / name)) for name in ("primary", "replica"))
        front, link = (stack.enter_context(Strait(_port(primary))) for _ in range(2))
        there = stack.enter_context(Redis.from_url(replica.url))
        password = primary.url.partition("@")[0].rpartition(":")[2]
        there.config_set("masterauth", password)
        there.replicaof("127.0.0.1", link.port)
        there.config_set("requirepass", password)
        url = f"redis://:{password}@127.0.0.1:{front.port}/0"
        machine.environ["REDIS_URL"] = url
        machine.redis = stack.enter_context(Redis.from_url(url, decode_responses=True, socket_timeout=5))
        try:
            two = TwoServers(machine, front, link, primary, there, replica)
            two.location()
            for name in ("web", "worker"):
                machine.kill(name)
                machine.start(name, **environ)
            machine.ready()
            yield two
        finally:
            for name in ("worker", "web"):
                machine.kill(name)
            machine.redis, machine.environ["REDIS_URL"] = before
