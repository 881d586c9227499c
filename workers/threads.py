"""The worker's threads, and the steps that start and stop them with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from billiard.common import REMAP_SIGTERM
from celery import bootsteps, platforms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from celery import Celery


class Endless(Protocol):
    """Something that runs until it is stopped."""

    def run(self) -> None:
        """Run until `stop`."""

    def stop(self) -> None:
        """Make `run` return soon."""


def start_with_worker(
    app: Celery, *, until_exit: Endless, until_stop: Iterable[Endless], leave: Callable[[], None] = lambda: None
) -> None:
    """Run each in a thread of its own, the one until the process ends and the others until the worker is told to stop.

    `leave` makes the process end in order, in a thread of its own.
    """

    class Threads(bootsteps.StartStopStep):
        """Celery starts and stops this with the worker; it builds the instance itself, hence the closure."""

        requires = ("celery.worker.components:Pool",)

        def __init__(self, worker: Any, **options: Any) -> None:
            super().__init__(worker, **options)
            # The same as --without-gossip --without-mingle --without-heartbeat, so that a bare `worker` is right too.
            worker.options.update(without_gossip=True, without_mingle=True, without_heartbeat=True)

        def start(self, worker: Any) -> None:
            del worker
            _leave_in_order(leave)
            for one in (until_exit, *until_stop):
                threading.Thread(target=one.run, name=type(one).__name__, daemon=True).start()

        def stop(self, worker: Any) -> None:
            del worker
            for one in until_stop:
                one.stop()

    app.steps["worker"].add(Threads)


def _leave_in_order(leave: Callable[[], None]) -> None:
    """At SIGQUIT, and at what hosts like Heroku send as SIGTERM under REMAP_SIGTERM=SIGQUIT.

    Celery would end at once, which a pool of threads can't: it waits for every completion, gives nothing back, and fails.
    """
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGQUIT", *(("SIGTERM",) if REMAP_SIGTERM else ())):
            platforms.signals[name] = lambda *_: leave()
