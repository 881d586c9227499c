"""A soak whose state is on a cluster: three primaries with a replica each, one of which confirms each write.

The machine's own Redis is the broker. Strikes on the cluster are those of the stories (tests/story/cluster_strikes.py).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bridge.store.redis.connection import connect
from tests.soak.plan import CLUSTER_WEIGHTS, RECEIVERS, WEIGHTS
from tests.soak.sides import LOCATION
from tests.soak.stage import Stage
from tests.story import cluster_strikes
from tests.story.on_cluster import OnCluster, cluster_in_reach

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from redis import Redis

    from tests.soak.plan import Kind, Strike
    from tests.soak.sides import Side

# The other soak strikes the broker; refusals of Redis would hit only the broker here.
CLUSTER_KINDS: tuple[Kind, ...] = (
    *(kind for kind in WEIGHTS if "Redis" not in kind),
    *CLUSTER_WEIGHTS,
)


def cut_off(on: OnCluster, note: cluster_strikes.Note) -> None:
    """For ten seconds."""
    del note
    with cluster_strikes.cut_off(on):
        pass


STRIKES: Mapping[Kind, Callable[[OnCluster, cluster_strikes.Note], None]] = {
    "primary killed": cluster_strikes.kill,
    "primary killed before a lagging replica": cluster_strikes.kill_before_a_lagging_replica,
    "primary frozen": cluster_strikes.freeze,
    "primary cut off": cut_off,
    "nodes restarted": cluster_strikes.restart_one_after_the_other,
    "slot moved": cluster_strikes.move_a_slot,
}


class Striking(threading.Thread):
    """A strike that runs while contacts continue to write. It begins when the previous one is over."""

    def __init__(self, strike: Callable[[OnCluster, cluster_strikes.Note], None], on: OnCluster, alone: threading.Lock) -> None:
        super().__init__(daemon=True)
        self._alone = alone
        self._strike = strike
        self._on = on
        self._fault: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Strike, and wait until the cluster is complete again."""
        try:
            with self._alone:
                self._on.cluster.wait_until_whole()
                self._strike(self._on, lambda *_: None)
                self._on.cluster.wait_until_whole()
        except BaseException as error:  # noqa: BLE001 - it is raised where the soak sees it
            self._fault = error

    def is_over(self) -> bool:
        """Whether it has ended. Raises what it raised."""
        if self.is_alive():
            return False
        if self._fault:
            raise self._fault
        return True


class ClusterStage(Stage):
    """One bridge on a cluster."""

    def __init__(self, folder: Path, side: Side) -> None:
        super().__init__(folder, side)
        self._broker = self.machine.redis
        self._going_on: list[Striking] = []
        self._alone = threading.Lock()

    def open_state(self) -> None:
        """Start the cluster."""
        machine = self.machine
        nodes, straits = self._open.enter_context(cluster_in_reach(machine.folder / "cluster"))
        machine.environ |= {
            "BROKER_URL": machine.environ["REDIS_URL"],
            "REDIS_URL": nodes.url,
            "BRIDGE_CONFIRM_REPLICAS": "1",
        }
        machine.redis = self._open.enter_context(connect(nodes.url))
        self._on = OnCluster(machine, nodes, straits, struck=LOCATION)

    @property
    def broker(self) -> Redis:
        """The machine's own Redis."""
        return self._broker

    def strike(self, strike: Strike) -> Callable[[], bool] | None:
        """As on one server, or a strike on the cluster, which repairs itself."""
        if strike.kind not in STRIKES:
            return super().strike(strike)
        striking = Striking(STRIKES[strike.kind], self._on, self._alone)
        self._going_on.append(striking)
        return striking.is_over

    def make_whole(self) -> None:
        """End all faults, those of the cluster too."""
        for striking in self._going_on:
            striking.join()
            striking.is_over()
        super().make_whole()

    def environ_of(self, name: str) -> dict[str, str]:
        """A receiver's port."""
        return {"PORT": str(self._ports[name])} if name in RECEIVERS else {}
