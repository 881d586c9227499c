"""Celery's pool of threads, all started with the worker; a task goes to the thread that ended its last one most recently.

Celery's own pool starts each thread when it is first needed. If the machine allowed no more threads then, the worker ended
("Unrecoverable error: can't start new thread"), with all its turns. A waiting thread takes about 40 KB. It also passes tasks
around: with 100 threads and few tasks, each thread finds its HTTP connections expired (infra/bench/notes.md).
"""

from __future__ import annotations

import threading
from collections import deque
from queue import Empty
from typing import TYPE_CHECKING, Any

import structlog
from celery.concurrency.thread import TaskPool as EveryTaskPool

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

log = structlog.get_logger()


class _Place:
    """Where one thread waits for an item."""

    def __init__(self) -> None:
        self.item: Any = None
        self._filled = threading.Lock()
        self._filled.acquire()

    def put(self, item: Any) -> None:
        """Let the thread continue with this item."""
        self.item = item
        self._filled.release()

    def get(self) -> Any:
        """Wait for the item."""
        self._filled.acquire()
        return self.item


class LastWaitingFirst:
    """A queue of items in order, each of which goes to the thread that has waited for the shortest time.

    It has the methods of `queue.SimpleQueue` that ThreadPoolExecutor uses.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: deque[Any] = deque()
        self._waiting: list[_Place] = []

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    def put(self, item: Any) -> None:
        """Add an item."""
        with self._lock:
            place = self._waiting.pop() if self._waiting else None
            if place is None:
                self._items.append(item)
        if place:
            place.put(item)

    def get_nowait(self) -> Any:
        """Take the first item. Raises Empty."""
        with self._lock:
            if self._items:
                return self._items.popleft()
        raise Empty

    def get(self, *, block: bool = True) -> Any:
        """Take the first item, or wait for one. Raises Empty without `block`."""
        with self._lock:
            if self._items:
                return self._items.popleft()
            if not block:
                raise Empty
            place = _Place()
            self._waiting.append(place)
        return place.get()


class TaskPool(EveryTaskPool):
    """A pool with as many threads as there are slots, or as many as the machine allows."""

    executor: ThreadPoolExecutor  # celery-types lacks it

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.executor._work_queue = LastWaitingFirst()  # type: ignore[assignment] # noqa: SLF001 - there is no argument for it
        started = threading.Event()
        try:
            for _ in range(self.limit):
                self.executor.submit(started.wait)
        except RuntimeError:
            # Further tasks wait for a free thread.
            log.warning("worker.fewer_threads", threads=threading.active_count(), wanted=self.limit)
            self.executor._max_workers = max(1, len(self.executor._threads))  # noqa: SLF001 - it would try again with each task
        finally:
            started.set()
