"""How each bridge is started: ours with the Procfile's commands, the others as their authors would."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge's commands, without its port and slots; the last word of a worker's may be its number of slots.

    `ready` is the output of its receiver when it is ready, if an open port is not enough. `cli` is set for this product, at any
    commit: the command that stores its locations; empty: today's classes store them.
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
