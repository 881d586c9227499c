"""Celery's pool of threads, all started with the worker.

Celery's own pool starts each thread when it is first needed. If the machine allowed no more threads then, the worker ended
("Unrecoverable error: can't start new thread"), with all its turns. A waiting thread takes about 40 KB.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import structlog
from celery.concurrency.thread import TaskPool as EveryTaskPool

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

log = structlog.get_logger()


class TaskPool(EveryTaskPool):
    """A pool with as many threads as there are slots, or as many as the machine allows."""

    executor: ThreadPoolExecutor  # celery-types lacks it

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
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
