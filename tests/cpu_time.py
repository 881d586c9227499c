"""What a call costs this thread, however busy the machine is."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def cpu_seconds(function: Callable[[T], object], given: T, *, most: float = 0.0, runs: int = 8) -> float:
    """The first of some runs within `most`, else the shortest: beside other work even CPU time varies.

    The garbage collector stands still meanwhile, because its cost grows with other tests' data.
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
