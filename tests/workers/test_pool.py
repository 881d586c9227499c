"""The worker's threads: which of them takes the next task."""

from __future__ import annotations

import threading
import time
from queue import Empty
from typing import Any

import pytest

from tests.stored import eventually
from workers.pool import LastWaitingFirst, TaskPool

THREADS = 5


def until_waiting(queue: LastWaitingFirst, count: int) -> None:
    """Wait until this many threads wait."""
    eventually(lambda: queue.waiting == count)


def test_an_item_goes_to_the_thread_that_waits_for_the_shortest_time() -> None:
    """Three threads begin to wait one after the other, and are served in the opposite order."""
    queue, taken = LastWaitingFirst(), dict[str, int]()
    threads = [
        threading.Thread(target=lambda name: taken.update({queue.get(block=True): name}), args=(name,), daemon=True)
        for name in range(3)
    ]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        until_waiting(queue, count)
    for item in "abc":
        queue.put(item)
    for thread in threads:
        thread.join()

    assert taken == {"a": 2, "b": 1, "c": 0}


def test_items_that_nobody_waits_for_are_taken_in_their_order() -> None:
    """An empty queue raises the error that the pool expects."""
    queue = LastWaitingFirst()
    for item in range(3):
        queue.put(item)

    assert [queue.get_nowait(), queue.get(block=True), queue.get(block=False)] == [0, 1, 2]
    with pytest.raises(Empty):
        queue.get_nowait()
    with pytest.raises(Empty):
        queue.get(block=False)


def test_tasks_one_after_the_other_use_one_thread() -> None:
    """Its HTTP connections stay in use; with the threads in turn, each connection would expire."""
    pool = TaskPool(THREADS)
    tasks: Any = pool.executor._work_queue
    used = set()
    for _ in range(20):
        until_waiting(tasks, THREADS)
        used.add(pool.executor.submit(threading.get_ident).result())
    pool.on_stop()

    assert len(used) == 1


def test_a_pool_that_stops_ends_all_its_threads() -> None:
    """A task that has begun is finished first."""
    pool, begun, finished = TaskPool(THREADS), threading.Event(), threading.Event()

    def task() -> None:
        begun.set()
        time.sleep(0.05)
        finished.set()

    pool.executor.submit(task)
    begun.wait()
    pool.on_stop()

    assert finished.is_set()
    assert not any(thread.is_alive() for thread in pool.executor._threads)
