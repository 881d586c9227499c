"""The Celery side: `celery -A workers worker` finds its app here.

Importing this package opens and reads nothing: the app is built from the environment when Celery asks for it. Reading order:
`app` (settings, each with its reason), `tasks` (calls `bridge.flow`), `dispatcher` (publishes wake-ups for due lanes, at most one
per free slot), `heartbeat` (renews leases), `threads` (starts both with the worker).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any


def __getattr__(name: str) -> Any:
    """Build the app on demand. A wrong or missing setting ends the process with one sentence and exit code 78."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Imported here, so that importing this package does not have Celery's side effects.
    from bridge.errors import Misconfigured, Unavailable  # noqa: PLC0415
    from bridge.process import prepare  # noqa: PLC0415
    from bridge.settings import from_environment  # noqa: PLC0415
    from bridge.wiring import begin  # noqa: PLC0415
    from workers.app import build, use_queue  # noqa: PLC0415
    from workers.queue import wait_for_queue  # noqa: PLC0415

    try:
        settings = from_environment(os.environ)
        prepare()
        app = use_queue(build(settings), wait_for_queue(settings))
        with suppress(Unavailable):  # Redis may become reachable later
            begin(settings)
    except Misconfigured as error:
        print(f"worker: {error}", file=sys.stderr)  # noqa: T201 - before logging is set up, and for a person
        raise SystemExit(error.exit_code) from None
    return app
