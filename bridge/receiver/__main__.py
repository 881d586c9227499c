"""`python -m bridge.receiver`: the web process."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import uvicorn

from bridge.errors import Misconfigured, Unavailable
from bridge.process import prepare
from bridge.receiver.app import build
from bridge.receiver.slow_heads import BoundedHeads, backlog
from bridge.settings import from_environment
from bridge.wiring import begin


def main() -> None:
    """Serve until stopped. A wrong or missing setting ends the process with one sentence and exit code 78."""
    prepare()
    try:
        settings = from_environment(os.environ)
        build(settings)
        with suppress(Unavailable):  # webhooks are answered 429 until Redis is reachable
            begin(settings)
    except Misconfigured as error:
        print(f"web: {error}", file=sys.stderr)  # noqa: T201 - before logging is set up, and for a person
        raise SystemExit(error.exit_code) from None
    uvicorn.run(
        "bridge.receiver.app:from_process_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.web_concurrency,
        # Access lines contain paths, and paths may contain secrets.
        access_log=False,
        # `Peers` does this, after it has stored the peer of the connection.
        proxy_headers=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=30,
        http=BoundedHeads,
        backlog=backlog(),
    )


if __name__ == "__main__":
    main()
