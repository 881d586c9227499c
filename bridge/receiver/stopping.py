"""Tells what goes on without an end that this process is to stop: the server waits for every answer that is under way."""

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
    """Whether the process was told to stop."""

    def __init__(self) -> None:
        self._told = asyncio.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to signals beside whoever does already. To be entered on the loop, in a process' main thread."""
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
        """Wait that long, or until it is told; answers whether it was."""
        try:
            await asyncio.wait_for(self._told.wait(), seconds)
        except TimeoutError:
            return False
        return True
