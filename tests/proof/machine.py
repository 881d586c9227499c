"""The parts that all runs share: a Redis with the scripts, event loops for receivers, connections, and the servers."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext, create_default_context
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import urlsplit

from redis import Redis

from bridge import sweep
from bridge.answering import resolving
from bridge.cli import redis_server
from bridge.completion.retrying import Retrying
from bridge.ghl import access, client, message_window, requests
from bridge.store.redis import pipelines
from bridge.store.redis.lua import all_scripts, script
from bridge.wire import downloads
from bridge.wire.backoff import persist
from tests.other_side import OtherSide
from tests.proof.clock import virtual
from tests.proof.far_side import FarSide
from tests.proof.front import FrontedWire
from tests.proof.processes import Loop
from tests.proof.stores import FrontedExchanges, VirtualRedis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A few rows and pages, so that lists and sweeps of a few messages have several.
PAGES = ((client, "SEARCH_ROWS", 2), (client, "PAGE_ROWS", 4), (sweep, "MOST_PAGES", 2), (sweep, "MOST_READ", 2))


@dataclass(slots=True)
class Machine:
    """`plain` is the harness' own client; one of the two loops is for receivers with faults."""

    plain: Redis
    redis: VirtualRedis
    loops: tuple[Loop, Loop]
    wire: FrontedWire
    far: FarSide

    def renew_wire(self) -> None:
        """Drop the connections, because an unread answer would be read by the next user of the connection."""
        self.wire.close()
        self.wire = _wire()


@contextmanager
def machine_in(folder: Path) -> Iterator[Machine]:
    """A machine with its own Redis, which syncs nothing: no run kills it, and each begins with an empty Redis.

    A Unix socket costs a third less than TCP; its path must be short.
    """
    command, url = redis_server.prepare(folder)
    with tempfile.TemporaryDirectory() as short:
        options = ["--appendonly", "no", "--unixsocket", f"{short}/redis"]
        with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL) as server:
            redis_server.wait_for(server, url)
            try:
                with machine_on(f"unix://:{urlsplit(url).password}@{short}/redis") as machine:
                    yield machine
            finally:
                server.terminate()


@contextmanager
def machine_on(url: str) -> Iterator[Machine]:
    """A machine with this Redis."""
    plain = Redis.from_url(url, decode_responses=True, protocol=2)
    for name in all_scripts():
        plain.script_load(virtual(script(name)))
    far, loops = FarSide(), (Loop(url), Loop(url))
    machine = Machine(plain, VirtualRedis(connection_pool=plain.connection_pool), loops, _wire(), far)
    with OtherSide(far.serve) as side, _timed(lambda: machine.redis.clock.seconds):
        far.url = side.url
        try:
            yield machine
        finally:
            machine.wire.close()
            for loop in loops:
                loop.close()
            plain.close()


@contextmanager
def _timed(monotonic: Callable[[], float]) -> Iterator[None]:
    """Use the virtual clock where durations of calls are measured: they would depend on the speed of this machine otherwise.

    Lists get short pages.
    """
    with ExitStack() as patches:
        for module, name, most in PAGES:
            patches.enter_context(patch.object(module, name, most))
        patches.enter_context(patch.object(pipelines, "Exchanges", FrontedExchanges))
        for module in (access, downloads, message_window, requests, resolving):
            patches.enter_context(patch.object(module, "time", SimpleNamespace(monotonic=monotonic)))
        for retrying in (persist, Retrying.__init__):
            patches.enter_context(patch.dict(retrying.__kwdefaults__, clock=monotonic))
        yield


def _wire() -> FrontedWire:
    return FrontedWire(resolve=lambda host, _: [host], ssl_context=_trust())


@cache
def _trust() -> SSLContext:
    """Reading the certificate authorities takes tens of milliseconds, and no certificate is checked here."""
    return create_default_context()
