"""Every process tells with which keys it works, so that nobody else's tokens are written over while it lives."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from bridge.errors import Unavailable
from bridge.store.redis.canary import Canary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.settings import Settings
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

EVERY_SECONDS = 12.0


class KeyPresence:
    """Tells it until stopped; without a key there is nothing to tell."""

    def __init__(self, canary: Canary | None, *, every: float = EVERY_SECONDS) -> None:
        self._canary = canary
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Tell at once, and every few seconds until `stop`."""
        while self._canary and not self._stopping.is_set():
            try:
                self._canary.register()
            except Unavailable as error:
                log.debug("keys.not_told", why=str(error))
            self._stopping.wait(self._every)

    def stop(self) -> None:
        """Tell no more."""
        self._stopping.set()


def build_key_presence(settings: Settings, redis: Redis) -> KeyPresence:
    """Through a client that the process has already."""
    return KeyPresence(Canary(redis, settings.fernet_keys) if settings.secret_key else None)


@contextmanager
def present(settings: Settings, redis: Redis) -> Iterator[None]:
    """Tell it in a thread of its own while the block runs."""
    telling = build_key_presence(settings, redis)
    threading.Thread(target=telling.run, name=KeyPresence.__name__, daemon=True).start()
    try:
        yield
    finally:
        telling.stop()
