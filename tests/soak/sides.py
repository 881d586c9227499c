"""The two bridges under test: how each is started, its broker's queue, and its own records."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bridge.store.redis.connection import text
from tests.keys import card, key
from tests.soak.plan import LEASE_SECONDS, MARK, RECEIVERS, WORKERS
from tests.story.machine import BIN, UNFINISHED, poll

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from redis import Redis

    from tests.soak.oracle import Written
    from tests.story.machine import Machine

LOCATION = "Soak"
# As many as two workers of a tutorial need for this load, which holds about fifteen completions at a time.
TUTORIAL_CONCURRENCY = 16


class Side(Protocol):
    """One bridge."""

    @property
    def name(self) -> str:
        """Its name in the table."""
        ...

    @property
    def queue(self) -> str:
        """Its broker's key of the queue in Redis, as a pattern."""
        ...

    def prepare(self, machine: Machine) -> None:
        """Set up what must exist before the processes start."""
        ...

    def command(self, name: str, port: int) -> list[str]:
        """The command of a receiver or worker."""
        ...

    def wait_for_workers(self, machine: Machine) -> None:
        """Wait until both workers are up."""
        ...

    def outcomes(self, redis: Redis, written: Iterable[Written]) -> Mapping[str, str]:
        """The outcomes that the bridge itself recorded, by mark; nothing for unfinished messages."""
        ...

    def is_idle(self, redis: Redis) -> bool:
        """Whether no work is left."""
        ...

    def held(self, redis: Redis) -> set[str]:
        """The marks of messages that the broker still has."""
        ...


@dataclass(frozen=True, slots=True)
class Bridge:
    """This project, by its Procfile's commands."""

    name: str = "ghl-bridge"
    queue: str = "ghl-bridge-*"

    def prepare(self, machine: Machine) -> None:
        """Everything short, with about the ratios of production: the looks of a read-back take longer than a lease."""
        machine.environ |= {
            "WORKER_CONCURRENCY": "50",
            "BRIDGE_LEASE_SECONDS": str(LEASE_SECONDS),
            "BRIDGE_RETRY_DELAYS": "0.5,1,1,2,2,2,2,2,2,2,2,2",
            "BRIDGE_READBACK_SECONDS": "0.5,5.5",
        }
        machine.apply(**{LOCATION: {"debounce_seconds": 0.2, "debounce_max_seconds": 1.0, "max_replies_per_day": 100_000}})

    def command(self, name: str, port: int) -> list[str]:
        """As in the Procfile."""
        del port
        return (
            [sys.executable, "-m", "bridge.receiver"] if name in RECEIVERS else [str(BIN / "celery"), "-A", "workers", "worker"]
        )

    def wait_for_workers(self, machine: Machine) -> None:
        """Both report in Redis that they live."""
        poll("two workers", lambda: machine.redis.zcard(key("workers")) == len(WORKERS), seconds=30)

    def outcomes(self, redis: Redis, written: Iterable[Written]) -> Mapping[str, str]:
        """From the messages' records."""
        ones = list(written)
        pipe = redis.pipeline(transaction=False)
        for one in ones:
            pipe.hmget(key("message", LOCATION, one.message_id), "status", "reason", "error")
        told = zip(ones, pipe.execute(), strict=True)
        return {one.mark: " ".join(filter(None, fields)) for one, fields in told if fields[0] and fields[0] not in UNFINISHED}

    def is_idle(self, redis: Redis) -> bool:
        """No lane is leased, and none is due."""
        return not card(redis, "inflight") and not card(redis, "due")

    def held(self, redis: Redis) -> set[str]:
        """The broker has no messages, only wake-ups."""
        del redis
        return set()


@dataclass(frozen=True, slots=True)
class Tutorial:
    """A bot as in a tutorial."""

    name: str = "tutorial"
    queue: str = "celery"

    def prepare(self, machine: Machine) -> None:
        """Tokens from the environment, as in tutorials."""
        machine.sim.order("locations", id=LOCATION, token="pit-tutorial")
        machine.environ |= {"GHL_TOKEN": "pit-tutorial", "ASSISTANT_ID": "assistant"}

    def command(self, name: str, port: int) -> list[str]:
        """Uvicorn, and a prefork worker with its own node name."""
        if name in RECEIVERS:
            return [
                sys.executable,
                "-m",
                "uvicorn",
                "infra.bench.tutorial.app:app",
                "--port",
                str(port),
                "--log-level",
                "warning",
            ]
        worker = ["worker", "-n", f"{name}@%h", "--concurrency", str(TUTORIAL_CONCURRENCY), "--loglevel", "INFO"]
        return [str(BIN / "celery"), "-A", "infra.bench.tutorial.tasks", *worker]

    def wait_for_workers(self, machine: Machine) -> None:
        """Both print that they are ready."""
        poll("two workers", lambda: all(" ready." in machine.log(name) for name in WORKERS), seconds=30)

    def outcomes(self, redis: Redis, written: Iterable[Written]) -> Mapping[str, str]:
        """It records none."""
        del redis, written
        return {}

    def is_idle(self, redis: Redis) -> bool:
        """Celery's queue is empty, and every task is acknowledged."""
        return not redis.llen("celery") and not redis.hlen("unacked")

    def held(self, redis: Redis) -> set[str]:
        """Messages of a worker that died, or not fetched yet; Celery redelivers the former after an hour."""
        waiting = [json.loads(text(one)) for one in redis.lrange("celery", 0, -1)]
        fetched = [json.loads(text(one))[0] for one in redis.hvals("unacked")]
        bodies = [base64.b64decode(one["body"]).decode() for one in (*waiting, *fetched)]
        return {mark for body in bodies for mark in MARK.findall(body)}
