"""The receiver's heartbeat: after a gap, all locations are swept immediately for missed messages."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog
from anyio import to_thread

from bridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.store.locations.sweeps import Sweeps

log = structlog.get_logger()

EVERY_SECONDS = 8.0


@asynccontextmanager
async def beating(sweeps: Sweeps) -> AsyncIterator[None]:
    """Send heartbeats while the block runs."""
    task = asyncio.create_task(_beat(sweeps))
    try:
        yield
    finally:
        task.cancel()


async def _beat(sweeps: Sweeps) -> None:
    while True:
        try:
            if await to_thread.run_sync(sweeps.beat):
                log.info("receiver.back")
        except Unavailable as error:
            log.debug("receiver.not_told", why=str(error))
        await asyncio.sleep(EVERY_SECONDS)
