"""Node-RED as a bridge under test: two instances of a flow that tries again what fails, each a whole bridge in one process."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.soak.plan import RECEIVERS
from tests.soak.sides import LOCATION
from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from redis import Redis

    from tests.soak.oracle import Written
    from tests.story.machine import Machine

FLOWS = Path(__file__).parents[2] / "infra/bench/baselines/node_red/retrying.json"


@dataclass(slots=True)
class NodeRed:
    """It keeps accepted messages in its memory, and needs neither Redis nor workers: strikes at these leave it alone.

    A request that fails is made again, up to five times, a second apart, by nodes of its own (`delay`). `node-red` is on PATH:
    `npm install --prefix DIRECTORY node-red@4.1.2` puts it into `DIRECTORY/node_modules/.bin`.
    """

    name: str = "Node-RED"
    queue: str = "none"
    folder: Path = field(default_factory=Path)

    def prepare(self, machine: Machine) -> None:
        """Tokens from the environment, as for the tutorial's."""
        self.folder = machine.folder
        machine.sim.order("locations", id=LOCATION, token="pit-node-red")
        machine.environ |= {"GHL_TOKEN": "pit-node-red", "ASSISTANT_ID": "assistant"}

    def command(self, name: str, port: int) -> list[str]:
        """An instance without its editor; in place of a worker, a process that does nothing."""
        if name not in RECEIVERS:
            return [sys.executable, "-c", "import time; time.sleep(86_400)"]
        program = shutil.which("node-red") or "node-red"
        kept = str(self.folder / name)
        return [program, str(FLOWS), "--userDir", kept, "--port", str(port), "-D", "httpAdminRoot=false"]

    def wait_for_workers(self, machine: Machine) -> None:
        """Both have started their flows."""
        poll("two instances", lambda: all("Started flows" in machine.log(name) for name in RECEIVERS), seconds=60)

    def outcomes(self, redis: Redis, written: Iterable[Written]) -> Mapping[str, str]:
        """It records none."""
        del redis, written
        return {}

    def is_idle(self, redis: Redis) -> bool:
        """Nobody can see that from outside: a soak waits until nothing has been posted for long."""
        del redis
        return False

    def held(self, redis: Redis) -> set[str]:
        """It has no broker."""
        del redis
        return set()
