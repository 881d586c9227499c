"""Celery's pool of threads, all of them started with the worker.

Celery's own pool starts each when it is first needed. A machine that gave no more threads then ended the worker ("Unrecoverable
error: can't start new thread"), and with it everything that was in flight. A thread that waits takes about 40 KB.
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
    """With as many threads as there are slots, or as many as the machine gives."""

    executor: ThreadPoolExecutor  # celery-types lacks it

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        started = threading.Event()
        try:
            for _ in range(self.limit):
                self.executor.submit(started.wait)
        except RuntimeError:
            # What is submitted beyond them waits for one of them.
            log.warning("worker.fewer_threads", threads=threading.active_count(), wanted=self.limit)
            self.executor._max_workers = max(1, len(self.executor._threads))  # noqa: SLF001 - it would try again with each task
        finally:
            started.set()
