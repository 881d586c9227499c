"""How each bridge is started: ours by the Procfile's commands, the others as their authors would."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge's commands, without its port and slots; a worker's last word may be its number of slots.

    `ready` is what its receiver says when more than a port has to be open. `cli` is set for this product, of whatever commit:
    the command by which its locations are written; empty: today's own classes write them.
    """

    name: str
    web: tuple[str, ...]
    worker: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    ready: str = ""
    cli: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is this product."""
        return self is OURS or bool(self.cli)


def _module(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *arguments)


def _uvicorn(app: str) -> tuple[str, ...]:
    return _module("uvicorn", app, "--log-level", "warning", "--port")


OURS = Bridge("ghl-bridge", _module("bridge.receiver"), _module("celery", "-A", "workers", "worker"))
FLOOR = Bridge("the floor", _uvicorn("infra.bench.baselines.floor:app"))
DELAYING = Bridge("task.delay", _uvicorn("infra.bench.baselines.delaying:app"))
TUTORIAL = Bridge(
    "the tutorial's",
    _uvicorn("infra.bench.tutorial.app:app"),
    _module("celery", "-A", "infra.bench.tutorial.tasks", "worker", "--loglevel", "INFO", "--concurrency"),
    {"TUTORIAL_HTTP": "a client for each request"},
)
TUNED = Bridge(
    "the tuned one",
    _uvicorn("infra.bench.baselines.tuned:app"),
    _module("celery", "-A", "infra.bench.baselines.tuned:tasks", "worker", "--loglevel", "INFO", "--concurrency"),
)
