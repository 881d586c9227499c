"""The queue of this worker: its name is in the state, and without the state there is nothing to do."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from bridge.broker import queue_of
from bridge.errors import Unavailable
from bridge.store.redis.installation import installation_id
from bridge.wiring import build_redis_for_health

if TYPE_CHECKING:
    from bridge.settings import Settings

PAUSE_SECONDS = 1.0


def wait_for_queue(settings: Settings) -> str:
    """The queue's name; wait until Redis returns it, and log once why. Raises Misconfigured."""
    redis, reported = build_redis_for_health(settings), False
    while True:
        try:
            return queue_of(installation_id(redis))
        except Unavailable as error:
            if not reported:
                print(f"worker: {error}; the worker waits until this works", file=sys.stderr)  # noqa: T201 - before logging is set up
            reported = True
            time.sleep(PAUSE_SECONDS)
