"""The processes of a soak: two receivers, two workers, Redis and the simulator, and their faults."""

from __future__ import annotations

import contextlib
import signal
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from bridge.cli import redis_server
from tests.soak.plan import RECEIVERS, WORKERS
from tests.soak.second_server import SecondServer
from tests.soak.sides import LOCATION
from tests.soak.strikes import STRIKES
from tests.story.machine import build, poll
from tests.story.strait import Strait

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from tests.soak.plan import Line, Strike
    from tests.soak.sides import Side

ROOT = Path(__file__).parent.parent.parent
# GHL goes on for hours; here long enough that no receiver is away for all of it.
WEBHOOK_RETRIES = [0.5] * 4 + [1.0] * 60


class Stage:
    """One bridge with everything around it."""

    def __init__(self, folder: Path, side: Side) -> None:
        self.side = side
        self.machine = build(folder)
        self._ports = {name: redis_server.free_port() for name in RECEIVERS}
        # The way of each process to Redis, and what Redis is started with.
        port = urlsplit(self.machine.environ["REDIS_URL"]).port or 0
        self.straits = {name: Strait(port) for name in (*RECEIVERS, *WORKERS)}
        self._servers = count()
        self.of_redis: dict[str, str] = {}
        self._open = ExitStack()
        self._turn = 0
        self._ids: dict[int, str] = {}

    def open(self) -> None:
        """Start everything, and wait until it works."""
        machine = self.machine
        # What runs is what stands here, wherever the virtual environment was made for.
        machine.environ |= {"PORT": str(self._ports["web"]), "PYTHONPATH": str(ROOT)}
        for strait in self.straits.values():
            self._open.enter_context(strait)
        machine.start("redis")
        self.open_state()
        machine.start("simulator")
        self.side.prepare(machine)
        machine.sim.order("defaults", retry_delays=WEBHOOK_RETRIES)
        for name in (*RECEIVERS, *WORKERS):
            self.start(name)
        for name in RECEIVERS:
            poll(f"an answer of {name}", lambda name=name: self._answers(name))  # type: ignore[misc] # bound right here
        self.side.wait_for_workers(machine)

    def open_state(self) -> None:
        """Start what holds the state, if that is not the broker's Redis."""

    @property
    def broker(self) -> Redis:
        """The Redis that the processes use as broker."""
        return self.machine.redis

    def close(self) -> None:
        """Kill everything."""
        self.machine.close()
        self._open.close()

    def contact(self, number: int) -> str:
        """The id of a contact, created on first use."""
        if number not in self._ids:
            self._ids[number] = self.machine.person(LOCATION).id
        return self._ids[number]

    def write(self, line: Line) -> dict[str, Any]:
        """Let a contact write; webhooks go to the receivers in turn. Returns its ids."""
        self._turn += 1
        url = self._url(RECEIVERS[self._turn % len(RECEIVERS)])
        contact = self.contact(line.contact)
        self.machine.sim.order("defaults", webhook_url=f"{url}/webhooks/ghl", completion_seconds=line.completion_seconds)
        said: dict[str, Any] = self.machine.sim.order(
            "say", contact_id=contact, location_id=LOCATION, text=line.text, channel="SMS", wait=False
        )
        return said

    def strike(self, strike: Strike) -> Callable[[], bool] | None:
        """Do it; returns a call that repairs it after its seconds and says whether it could."""
        return STRIKES[strike.kind](self, strike) if strike.kind in STRIKES else None

    def second_server(self, seconds: float) -> SecondServer:
        """A server to which Redis fails over for so long."""
        server = SecondServer(self.machine.redis, self.machine.folder / f"second-{next(self._servers)}", seconds, self._lead_to)
        self._open.callback(server.close)
        return server

    def start(self, name: str) -> bool:
        """Start a process once the one of its name has ended; returns whether it has."""
        if self.machine.lives(name):
            return False
        # Otherwise the machine would keep the dead one, and some day signal whoever has its number then.
        self.machine.running.pop(name, None)
        if name == "redis":
            self.machine.start(name, **self.of_redis)
        else:
            self.machine.spawn(name, self.side.command(name, self._ports.get(name, 0)), **self.environ_of(name))
        return True

    def make_whole(self) -> None:
        """End all faults."""
        self.machine.sim.http.delete(f"{self.machine.sim.url}/_sim/faults")
        self.of_redis = {}
        for strait in self.straits.values():
            strait.heal()
        for name in ("redis", *RECEIVERS, *WORKERS):
            if self.machine.lives(name):
                self.machine.signal(name, signal.SIGCONT)
            else:
                self.start(name)

    def posts(self) -> dict[str, list[str]]:
        """The posts to each contact, in order."""
        posts: dict[str, list[str]] = self.machine.sim.ask("counts")["posts"]["by_contact"]
        return posts

    def webhooks(self) -> dict[str, int]:
        """The number of answers to webhooks by status."""
        webhooks: dict[str, int] = self.machine.sim.ask("counts")["webhooks"]["by_status"]
        return webhooks

    def environ_of(self, name: str) -> dict[str, str]:
        """Its own way to Redis, and a receiver's port."""
        url = urlsplit(self.machine.environ["REDIS_URL"])
        way = url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{self.straits[name].port}").geturl()
        return {"REDIS_URL": way, **({"PORT": str(self._ports[name])} if name in self._ports else {})}

    def _lead_to(self, port: int) -> None:
        for strait in self.straits.values():
            strait.lead_to(port)

    def _url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def _answers(self, name: str) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return bool(self.machine.http.get(f"{self._url(name)}/healthz").status_code)
        return False
