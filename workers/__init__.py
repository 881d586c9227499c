"""The Celery side: `celery -A workers worker` finds its app here.

Importing opens nothing and reads nothing: the app is built from the environment when Celery asks for it. Reading order:
`app` (settings, each with its reason), `tasks` (a line onto `bridge.flow`), `dispatcher` (what is due is published, no more
than there are free slots), `heartbeat` (leases stay alive), `threads` (the steps that start both with the worker).
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
    # Imported here so that importing this package stays free of Celery's own side effects.
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
        with suppress(Unavailable):  # it comes back
            begin(settings)
    except Misconfigured as error:
        print(f"worker: {error}", file=sys.stderr)  # noqa: T201 - before logging is set up, and for a person
        raise SystemExit(error.exit_code) from None
    return app
