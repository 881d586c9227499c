"""The receiver as a real process, for tests of its pages."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli import redis_server
from tests import forks
from tests.stored import FERNET_KEY, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ADMIN_TOKEN = "the-admin-token-of-the-tests"


@contextmanager
def served(redis_url: str, **environ: str) -> Iterator[str]:
    """A receiver with that Redis; yields its address. `environ` has priority over the usual settings; empty means unset."""
    with serving(redis_url, **environ) as (url, _):
        yield url


@contextmanager
def serving(redis_url: str, **environ: str) -> Iterator[tuple[str, forks.Fork]]:
    """The same, with its process."""
    port = str(redis_server.free_port())
    usual = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "BRIDGE_ADMIN_TOKEN": ADMIN_TOKEN, "PORT": port}
    nobody = dict.fromkeys(("GHL_API_URL", "ASSISTABLE_URL", "AGENCII_URL"), "http://127.0.0.1:1")
    given = {"PATH": os.environ["PATH"], **usual, **nobody, **environ}
    with Path(os.devnull).open("rb") as nothing, tempfile.TemporaryFile() as log:
        process = forks.Fork("bridge.receiver", environ=given, cwd=forks.ROOT, files=(nothing, log, log))
        try:
            eventually(lambda: _listens(port) or process.poll() is not None, seconds=30)
            log.seek(0)
            assert process.poll() is None, f"the receiver ended with {process.returncode}: {log.read().decode()}"
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            process.wait()


def _listens(port: str) -> bool:
    # A client of httpx costs 20 ms of CPU, and is asked for every five.
    with closing(HTTPConnection("127.0.0.1", int(port))) as connection, suppress(OSError, HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    return False
