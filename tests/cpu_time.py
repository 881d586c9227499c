"""The CPU time of a call in this thread, independent of other load on the machine."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def cpu_seconds(function: Callable[[T], object], given: T, *, most: float = 0.0, runs: int = 8) -> float:
    """The first of some runs within `most`, else the shortest: beside other work even CPU time varies.

    The garbage collector is off in the meantime, because its cost grows with other tests' data.
    """
    least = float("inf")
    gc.disable()
    try:
        for _ in range(runs):
            began = time.thread_time()
            function(given)
            least = min(least, time.thread_time() - began)
            if least <= most:
                break
    finally:
        gc.enable()
    return least
