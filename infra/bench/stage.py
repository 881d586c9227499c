"""The measured processes: a Redis that syncs every write, a receiver, a worker. The bench itself simulates the services."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.cli import redis_server
from bridge.locations import Location
from bridge.settings import from_environment
from bridge.store.redis.connection import connect, key
from bridge.wiring import build_locations
from infra.bench.bridges import OURS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bridge.store.redis.connection import Redis
    from infra.bench.bridges import Bridge
    from infra.bench.far_side import FarSide

STARTS_WITHIN = 60.0
LOOK_SECONDS = 0.05
# GHL allows a location 100 requests in 10 s: a load is spread as it would be.
LOCATIONS = tuple(f"BenchLocation{number:03}" for number in range(200))
FOREIGN = ("REDIS_", "BROKER_", "GHL_", "ASSISTABLE_", "AGENCII_", "BRIDGE_", "WORKER_", "PORT", "WEB_")


@dataclass(slots=True)
class Stage:
    """One Redis, one far side, and at most one bridge that runs beside them."""

    folder: Path
    redis_url: str
    far_side: FarSide
    far_url: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    port: int = 0
    running: dict[str, psutil.Popen] = field(default_factory=dict)
    _secret: str = field(default_factory=lambda: Fernet.generate_key().decode())
    _which: object = None

    @property
    def redis(self) -> Redis:
        """A client."""
        return connect(self.redis_url)

    def environ(self, **more: str) -> dict[str, str]:
        """What every bridge is told; nothing of this machine's own settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        public = self.key.public_key()
        return {
            **kept,
            "PORT": str(self.port),
            "REDIS_URL": self.redis_url,
            "GHL_API_URL": self.far_url,
            "GHL_WEBHOOK_KEYS": _pem(public),
            "GHL_TOKEN": "pit-bench",
            "BENCH_PUBLIC_KEY": public.public_bytes_raw().hex(),
            "ASSISTABLE_URL": f"{self.far_url}/v2/ghl-chat-completion",
            "ASSISTABLE_TOKEN": "bench",
            "ASSISTANT_ID": "bench",
            "BRIDGE_SECRET_KEY": self._secret,
            "BRIDGE_LOG_LEVEL": "info",
            **more,
        }

    def empty(self, **settings: Any) -> None:
        """Forget everything but the locations; `settings` are theirs."""
        with self.redis as redis:
            # A million lanes take Redis longer to forget than its clients wait.
            redis.flushall(asynchronous=True)
            while redis.info("memory")["lazyfree_pending_objects"]:
                time.sleep(LOOK_SECONDS)
            usual: dict[str, Any] = {"debounce_seconds": 0, "debounce_max_seconds": 0, "ghl_token": "pit-bench"}
            usual["assistable"] = {"assistant_id": "bench"}
            locations = build_locations(from_environment(self.environ()), redis)
            locations.apply([Location.model_validate({"id": one, "name": one, **usual, **settings}) for one in LOCATIONS])
        self.far_side.forget()

    async def run(self, bridge: Bridge, *, slots: int = 0) -> None:
        """Have this bridge run, with so many replies at once (0: only its receiver); another one is stopped before."""
        if self._which == (bridge, slots):
            return
        self.stop()
        self.port = redis_server.free_port()
        self.empty()
        environ = self.environ(WORKER_CONCURRENCY=str(slots or 1), **bridge.environ)
        web = bridge.web if bridge is OURS else (*bridge.web, str(self.port))
        self.spawn("web", web, environ)
        if slots:
            self.spawn("worker", bridge.worker if bridge is OURS else (*bridge.worker, str(slots)), environ)
        await self.until(self.listens)
        await self.until(lambda: self.says("web", bridge.ready))
        if slots:
            await self.until(self.works if bridge is OURS else lambda: self.says("worker", " ready."))
        self._which = (bridge, slots)

    def spawn(self, name: str, command: tuple[str, ...], environ: Mapping[str, str]) -> psutil.Popen:
        """Start one process, whose output goes to a file of its own."""
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = psutil.Popen(
                command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder.parent
            )
        return self.running[name]

    def stop(self) -> None:
        """End the bridge's processes, children included."""
        for process in self.running.values():
            family = [*_children(process), process]
            for one in family:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            process.wait()
        self.running.clear()
        self._which = None

    async def until(self, ready: Any) -> None:
        """Wait until it is so. Raises TimeoutError, RuntimeError when a process has ended."""
        async with asyncio.timeout(STARTS_WITHIN):
            while not ready():
                for name, process in self.running.items():
                    if process.poll() is not None:
                        raise RuntimeError(f"{name} has ended: {(self.folder / f'{name}.log').read_text()[-2000:]}")
                await asyncio.sleep(0.01)

    def listens(self) -> bool:
        """Whether the receiver takes connections."""
        return any(one.laddr.port == self.port for one in self.running["web"].net_connections() if one.status == "LISTEN")

    def works(self) -> bool:
        """Whether our worker has told that it lives."""
        with self.redis as redis:
            return bool(redis.zcard(key("workers")))

    def says(self, name: str, words: str) -> bool:
        """Whether a process has said so."""
        return words in (self.folder / f"{name}.log").read_text(errors="replace")

    def cpu(self) -> float:
        """Seconds of CPU that the bridge's processes have used so far."""
        used = [one.cpu_times() for process in self.running.values() for one in (process, *_children(process))]
        return sum(times.user + times.system for times in used)

    def cpu_of_redis(self) -> float:
        """Seconds of CPU that Redis has used so far."""
        with self.redis as redis:
            used: dict[str, Any] = redis.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])

    def megabytes(self, name: str) -> float:
        """What a process and its children hold in memory (RSS, shared pages included)."""
        process = self.running[name]
        return sum(one.memory_info().rss for one in (process, *_children(process))) / 1e6


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return list(process.children(recursive=True))
    return []


def _pem(public: Any) -> str:
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
