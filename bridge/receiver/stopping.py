"""Tells endless answers (live pages) that the process stops, because the server waits for every answer in progress."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Whether the process received a signal to stop."""

    def __init__(self) -> None:
        self._told = asyncio.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to signals in addition to existing handlers. Call it on the event loop, in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in SIGNALS}

        def told(number: int, frame: Any) -> None:
            loop.call_soon_threadsafe(self._told.set)
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)
            else:
                signal.signal(number, handler)
                signal.raise_signal(number)

        for number in SIGNALS:
            signal.signal(number, told)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def within(self, seconds: float) -> bool:
        """Wait this long, or until the process stops; returns whether it stops."""
        try:
            await asyncio.wait_for(self._told.wait(), seconds)
        except TimeoutError:
            return False
        return True
