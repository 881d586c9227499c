"""A Redis cluster on this machine, to try it or to test with: `make cluster` runs one until Ctrl-C.

Each node is a process with a folder, a port and an append-only file of its own, and ends with the process that started it. Slots
are given in whole sixteenths, because each partition of the bridge is in one (bridge/store/redis/partitions.py).
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from redis import RedisError
from redis.crc import key_slot

from bridge.cli import redis_server
from bridge.errors import DidNotWork
from infra.dev.cluster_node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HOST = "127.0.0.1"
SLOTS = 16_384
SIXTEENTH = SLOTS // 16
FORMS_WITHIN_SECONDS = 60.0
# For so long (ms) a node must not answer before its replica takes over. Redis' default is 15,000.
NODE_TIMEOUT_MS = 2_000
# A missing primary takes only its own slots along. A replica's first copy begins at once instead of after five seconds.
CONFIGURATION = """\
masterauth {password}
cluster-enabled yes
cluster-port {bus_port}
cluster-announce-port {announced}
cluster-node-timeout {timeout}
cluster-require-full-coverage no
repl-diskless-sync-delay 0
"""
# With TLS there is no other port, and nodes speak it among themselves too.
TLS = """\
tls-port {port}
tls-cluster yes
tls-replication yes
tls-auth-clients no
tls-cert-file "{certificates}/server.pem"
tls-key-file "{certificates}/server.key"
tls-ca-cert-file "{certificates}/ca.pem"
cluster-announce-tls-port {announced}
"""


@dataclass(slots=True)
class Cluster:
    """The nodes: first the primaries that the cluster began with, then their replicas, as many for each."""

    primaries: int
    nodes: list[Node] = field(default_factory=list)
    password: str = ""
    certificates: Path | None = None

    @property
    def url(self) -> str:
        """What REDIS_URL is set to."""
        nodes = ",".join(f"{HOST}:{node.announced}" for node in self.nodes)
        trusted = f"?ssl_ca_certs={self.certificates / 'ca.pem'}" if self.certificates else ""
        return f"{'rediss' if self.certificates else 'redis'}+cluster://:{self.password}@{nodes}{trusted}"

    def primary_of(self, key: str) -> Node:
        """The node that has the slot of a key, or of a prefix, just now."""
        slot = int(key_slot(key.encode()))
        for node in self.nodes:
            with contextlib.suppress(RedisError, OSError):
                if str(node.ask("ROLE")[0]) == "master" and any(low <= slot <= high for low, high in node.slots()):
                    return node
        raise DidNotWork(f"no node of the cluster serves slot {slot}")

    def replicas_of(self, primary: Node) -> list[Node]:
        """The nodes that copy this one, as it knows them."""
        ports = {int(port) for _, port, _ in primary.ask("ROLE")[2]}
        return [node for node in self.nodes if node.port in ports]

    def is_whole(self) -> bool:
        """Whether every node sees all slots served and all nodes connected, and each replica is in step."""
        return not any(map(self._lacks, self.nodes))

    def wait_until_whole(self, *, seconds: float = FORMS_WITHIN_SECONDS) -> None:
        """Raises DidNotWork if that takes longer, with what each node lacks."""
        _until(
            "every node sees the whole cluster", self.is_whole, seconds, told=lambda: filter(None, map(self._lacks, self.nodes))
        )

    def form(self) -> None:
        """Make one cluster of nodes that have just been started."""
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for number, node in enumerate(self.nodes[: self.primaries]):
            sixteenths = [one for one in range(16) if one * self.primaries // 16 == number]
            node.ask("CLUSTER ADDSLOTSRANGE", sixteenths[0] * SIXTEENTH, (sixteenths[-1] + 1) * SIXTEENTH - 1)
        for node in self.nodes:
            for other in self.nodes:
                if other is not node:
                    node.ask("CLUSTER MEET", HOST, other.port, other.bus_port)
        _until("every node knows the others", self._are_acquainted, FORMS_WITHIN_SECONDS)
        for number, node in enumerate(self.nodes[self.primaries :]):
            node.ask("CLUSTER REPLICATE", self.nodes[number % self.primaries].id())
        self.wait_until_whole()

    def _are_acquainted(self) -> bool:
        ids = {node.id() for node in self.nodes}
        return all({one["node_id"] for one in node.table()} == ids for node in self.nodes)

    def _lacks(self, node: Node) -> str:
        """What a node sees that is not as it should be; empty if nothing."""
        try:
            info, role, seen = node.ask("CLUSTER INFO"), node.ask("ROLE"), node.table()
        except (RedisError, OSError) as error:
            return f"{node.port}: {error}"
        ill = [one["flags"] for one in seen if "fail" in one["flags"] or not one["connected"]]
        served = info["cluster_state"], info["cluster_slots_ok"], len(seen)
        is_in_step = str(role[0]) == "master" or str(role[3]) == "connected"
        if served == ("ok", str(SLOTS), len(self.nodes)) and not ill and is_in_step:
            return ""
        return f"{node.port}: {served}, {ill}, {role}"


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    primaries: int = 3,
    replicas: int = 1,
    program: Path | None = None,
    announced: Callable[[int], int] = int,
    certificates: Path | None = None,
) -> Iterator[Cluster]:
    """Run a cluster while the block runs, with so many replicas for each primary. Raises DidNotWork if it doesn't form.

    More than 16 primaries have nothing to do. Redis 7.0 or Valkey is needed. `announced` is the port that leads to a node's port.
    With `certificates`, a folder with `ca.pem`, `server.pem` and `server.key`, everything goes over TLS.
    """
    cluster = Cluster(primaries, certificates=certificates)
    try:
        for number in range(primaries * (1 + replicas)):
            cluster.nodes.append(_prepare(cluster, folder / f"node-{number}", program, announced))
            cluster.nodes[-1].start()
        for node in cluster.nodes:
            node.wait()
        cluster.form()
        yield cluster
    finally:
        for node in cluster.nodes:
            node.kill()


def _prepare(cluster: Cluster, folder: Path, program: Path | None, announced: Callable[[int], int]) -> Node:
    """Write a node's configuration; all nodes have the first one's password."""
    command, url = redis_server.prepare(folder, program=program)
    file = folder / redis_server.CONFIGURATION_FILE
    own = url.partition("@")[0].rpartition(":")[2]
    cluster.password = cluster.password or own
    port, bus_port = int(url.rpartition(":")[2].partition("/")[0]), redis_server.free_port()
    text = file.read_text(encoding="utf-8").replace(own, cluster.password)
    told = announced(port)
    more = CONFIGURATION.format(password=cluster.password, bus_port=bus_port, announced=told, timeout=NODE_TIMEOUT_MS)
    url = url.replace(own, cluster.password)
    if cluster.certificates:
        text = text.replace(f"port {port}\n", "port 0\n")
        more += TLS.format(port=port, announced=told, certificates=cluster.certificates)
        url = f"rediss{url.removeprefix('redis')}?ssl_ca_certs={cluster.certificates / 'ca.pem'}"
    file.write_text(text + more, encoding="utf-8")
    return Node(port, told, bus_port, url, command)


def _until(what: str, holds: Callable[[], bool], seconds: float, *, told: Callable[[], Iterable[str]] = tuple) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise DidNotWork("; ".join((f"waited {seconds:.0f} s until {what}", *told())))
        time.sleep(0.05)


def main() -> None:
    """Run a cluster until Ctrl-C, and say how to use it. Its data is deleted afterwards."""
    parser = argparse.ArgumentParser(prog="python -m infra.dev.cluster", description=main.__doc__)
    parser.add_argument("--primaries", type=int, choices=range(1, 17), default=3, metavar="1..16")
    parser.add_argument("--replicas", type=int, default=1, help="for each primary")
    told = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="cluster-") as folder,
        running(Path(folder), primaries=told.primaries, replicas=told.replicas) as cluster,
        contextlib.suppress(KeyboardInterrupt),
    ):
        print(f"export REDIS_URL='{cluster.url}'")
        print(f"# {len(cluster.nodes)} nodes; Ctrl-C ends them and deletes their data", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
