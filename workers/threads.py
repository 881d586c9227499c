"""The worker's threads, started and stopped with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from billiard.common import REMAP_SIGTERM
from celery import bootsteps, platforms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from celery import Celery


class Endless(Protocol):
    """A loop that runs until it is stopped."""

    def run(self) -> None:
        """Run until `stop`."""

    def stop(self) -> None:
        """Make `run` return soon."""


def start_with_worker(
    app: Celery, *, until_exit: Endless, until_stop: Iterable[Endless], leave: Callable[[], None] = lambda: None
) -> None:
    """Run each loop in a separate thread: `until_exit` until the process ends, `until_stop` until the worker's shutdown begins.

    `leave` shuts the process down cleanly, in a separate thread.
    """

    class Threads(bootsteps.StartStopStep):
        """A step that Celery starts and stops with the worker. Celery creates the instance, so the loops are in a closure."""

        requires = ("celery.worker.components:Pool",)

        def __init__(self, worker: Any, **options: Any) -> None:
            super().__init__(worker, **options)
            # The same as --without-gossip --without-mingle --without-heartbeat, so that a plain `worker` works too.
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
    """Handle SIGQUIT, and SIGTERM under REMAP_SIGTERM=SIGQUIT (Heroku), with a clean shutdown.

    Celery would stop immediately, which a pool of threads can't: it waits for every completion, gives nothing back, and fails.
    """
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGQUIT", *(("SIGTERM",) if REMAP_SIGTERM else ())):
            platforms.signals[name] = lambda *_: leave()
