"""Whether the process of this container is alive. `web`: it answers. `worker`: it reported to Redis within the last seconds.

A worker waits for a Redis that is away and comes back by itself: show this check to people, and don't restart a worker over it.
"""

from __future__ import annotations

import os
import socket
import sys
import urllib.request

SECONDS = 3.0


def main(process: str) -> bool:
    """Check once; raises the error."""
    return _web() if process == "web" else _worker()


def _web() -> bool:
    url = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/healthz"
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's own number


def _worker() -> bool:
    from bridge.settings import from_environment  # noqa: PLC0415 - the receiver's check is to be quick
    from bridge.store.redis.connection import connect_without_retries, now_ms  # noqa: PLC0415
    from bridge.store.redis.partitions import key  # noqa: PLC0415

    redis = connect_without_retries(from_environment(os.environ).state_url, seconds=SECONDS)
    alive = redis.zrangebyscore(key("workers"), now_ms(redis), "+inf")
    return any(str(worker).startswith(f"{socket.gethostname()}-") for worker in alive)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1]))
