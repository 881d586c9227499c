"""Writes the receiver's counts to Redis once a second, without delaying requests."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog
from anyio import to_thread

from bridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.metrics import Tally
    from bridge.store.figures.counts import Counts

log = structlog.get_logger()

EVERY_SECONDS = 1.0


@asynccontextmanager
async def reporting(tally: Tally, counts: Counts) -> AsyncIterator[None]:
    """Write counts while the block runs, and once more at its end."""
    task = asyncio.create_task(_report(tally, counts))
    try:
        yield
    finally:
        task.cancel()
        await _write(tally, counts)


async def _report(tally: Tally, counts: Counts) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        await _write(tally, counts)


async def _write(tally: Tally, counts: Counts) -> None:
    """Write the counts; those that can't be written are kept for later."""
    try:
        await to_thread.run_sync(counts.add, tally)
    except Unavailable as error:
        log.debug("counts.waiting", why=str(error))
