"""A loop in its own thread while a receiver runs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Loop(Protocol):
    """A loop that runs until it is stopped."""

    def run(self) -> None:
        """Run until `stop`."""

    def stop(self) -> None:
        """Make `run` return soon."""


@contextmanager
def in_background(loop: Loop) -> Iterator[None]:
    """Run a loop in a separate thread while the block runs; the thread carries the name of its class."""
    threading.Thread(target=loop.run, name=type(loop).__name__, daemon=True).start()
    try:
        yield
    finally:
        loop.stop()
