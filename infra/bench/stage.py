"""The measured processes: a Redis that syncs every write, a receiver, a worker. The benchmark itself simulates the services."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import psutil
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.cli import redis_server
from bridge.locations import Location
from bridge.settings import from_environment
from bridge.store.redis.connection import connect
from bridge.store.redis.partitions import key, keys
from bridge.wiring import build_locations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bridge.store.redis.connection import Redis
    from infra.bench.bridges import Bridge
    from infra.bench.far_side import FarSide

STARTS_WITHIN = 60.0
LOOK_SECONDS = 0.05
# By these a process notices that Redis has forgotten a write of its own (`bridge/store/parts/rollback.lua`).
WRITE_COUNT = "wrote"
MANY_WRITES = 10**15
# GHL allows a location 100 requests in 10 s: a load is spread as it would be.
LOCATIONS = tuple(f"BenchLocation{number:03}" for number in range(200))
USUAL: dict[str, Any] = {
    "debounce_seconds": 0,
    "debounce_max_seconds": 0,
    "ghl_token": "pit-bench",
    "assistable": {"assistant_id": "bench"},
}
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
    _cli: str = ""

    @property
    def redis(self) -> Redis:
        """A client."""
        return connect(self.redis_url)

    def environ(self, **more: str) -> dict[str, str]:
        """The settings of every bridge, without those of this machine."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        public = self.key.public_key()
        return {
            **variables,
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
        """Delete everything except the locations; `settings` are theirs."""
        with self.redis as redis:
            counts = list(redis.scan_iter(key(WRITE_COUNT, "*")))
            with redis.pipeline() as commands:
                # A million lanes take Redis longer to forget than its clients wait.
                commands.flushall(asynchronous=True)
                # Else the processes notice that Redis lost writes, and look into GHL before they answer.
                for name in counts:
                    commands.set(name, MANY_WRITES)
                commands.execute()
            while redis.info("memory")["lazyfree_pending_objects"]:
                time.sleep(LOOK_SECONDS)
            if self._cli:
                self._apply(settings)
            else:
                locations = build_locations(from_environment(self.environ()), redis)
                locations.apply([Location.model_validate({"id": one, "name": one, **USUAL, **settings}) for one in LOCATIONS])
        self.far_side.forget()

    def _apply(self, settings: Mapping[str, Any]) -> None:
        """Apply the locations: another commit stores them in its own format, with its command."""
        file = self.folder / "locations.toml"
        assistable, usual = USUAL["assistable"], {name: one for name, one in USUAL.items() if name != "assistable"}
        settings_lines = [f"{name} = {orjson.dumps(one).decode()}" for name, one in {**usual, **settings}.items()]
        each = [
            f'[locations.{one}]\n[locations.{one}.assistable]\nassistant_id = "{assistable["assistant_id"]}"' for one in LOCATIONS
        ]
        file.write_text("\n".join(["[defaults]", *settings_lines, *each]), encoding="utf-8")
        command = (self._cli, "locations", "apply", str(file))
        subprocess.run(command, env=self.environ(), cwd=self.folder.parent, check=True, capture_output=True)  # noqa: S603 - ours

    async def run(self, bridge: Bridge, *, slots: int = 0, workers: int = 1) -> None:
        """Run this bridge with a number of simultaneous replies (0: only its receiver); another one is stopped before."""
        if self._which == (bridge, slots, workers):
            return
        self.stop()
        self._cli = bridge.cli
        self.port = redis_server.free_port()
        self.empty()
        environ = self.environ(WORKER_CONCURRENCY=str(slots or 1), **bridge.environ)
        web = bridge.web if bridge.ours else (*bridge.web, str(self.port))
        self.spawn("web", web, environ)
        for number in range(workers if slots else 0):
            name = f"worker{number or ''}"
            self.spawn(name, bridge.worker if bridge.ours else (*bridge.worker, str(slots)), environ)
        await self.until(self.listens)
        await self.until(lambda: self.says("web", bridge.ready))
        if slots:
            await self.until((lambda: self.works(workers)) if bridge.ours else lambda: self.says("worker", " ready."))
        self._which = (bridge, slots, workers)

    def spawn(self, name: str, command: tuple[str, ...], environ: Mapping[str, str]) -> psutil.Popen:
        """Start one process with its own output file."""
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = psutil.Popen(
                command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder.parent
            )
        return self.running[name]

    def stop(self) -> None:
        """Stop the bridge's processes and their child processes."""
        for process in self.running.values():
            family = [*_children(process), process]
            for one in family:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            process.wait()
        self.running.clear()
        self._which = None

    async def until(self, ready: Any) -> None:
        """Wait until it is true. Raises TimeoutError, RuntimeError if a process has ended."""
        async with asyncio.timeout(STARTS_WITHIN):
            while not ready():
                for name, process in self.running.items():
                    if process.poll() is not None:
                        raise RuntimeError(f"{name} has ended: {(self.folder / f'{name}.log').read_text()[-2000:]}")
                await asyncio.sleep(0.01)

    def listens(self) -> bool:
        """Whether the receiver accepts connections."""
        return any(one.laddr.port == self.port for one in self.running["web"].net_connections() if one.status == "LISTEN")

    def works(self, workers: int = 1) -> bool:
        """Whether this many workers are alive."""
        with self.redis as redis:
            return int(redis.zcard(key("workers"))) + int(redis.zcard("ghlb:workers")) >= workers

    def says(self, name: str, words: str) -> bool:
        """Whether a process has printed this."""
        return words in (self.folder / f"{name}.log").read_text(errors="replace")

    def cpu(self, kind: str = "") -> float:
        """Seconds of CPU of the bridge's processes so far; `kind`: only those whose name begins with it."""
        processes = [process for name, process in self.running.items() if name.startswith(kind)]
        used = [one.cpu_times() for process in processes for one in (process, *_children(process))]
        return sum(times.user + times.system for times in used)

    def cpu_of_redis(self) -> float:
        """Seconds of CPU of Redis so far."""
        with self.redis as redis:
            used: dict[str, Any] = redis.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])

    def megabytes(self, name: str) -> float:
        """The memory of a process and its children (MB; RSS, with shared pages)."""
        process = self.running[name]
        return sum(one.memory_info().rss for one in (process, *_children(process))) / 1e6


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return list(process.children(recursive=True))
    return []


def _pem(public: Any) -> str:
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def is_busy(redis: Redis) -> bool:
    """Whether any turn is in progress, with or without partitions."""
    return bool(redis.exists("ghlb:inflight", *keys("inflight")))
