"""Every process registers digests of its encryption keys, so that no other process overwrites its secrets while it runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from bridge.errors import Unavailable
from bridge.operating.background import in_background
from bridge.store.redis.canary import Canary

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bridge.settings import Settings
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

EVERY_SECONDS = 12.0


class KeyPresence:
    """Registers the keys every few seconds until stopped; does nothing without a key."""

    def __init__(self, canary: Canary | None, *, every: float = EVERY_SECONDS) -> None:
        self._canary = canary
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Register now, and every few seconds until `stop`."""
        while self._canary and not self._stopping.is_set():
            try:
                self._canary.register()
            except Unavailable as error:
                log.debug("keys.not_told", why=str(error))
            self._stopping.wait(self._every)

    def stop(self) -> None:
        """Stop registering."""
        self._stopping.set()


def build_key_presence(settings: Settings, redis: Redis) -> KeyPresence:
    """Build `KeyPresence` with an existing client."""
    return KeyPresence(Canary(redis, settings.fernet_keys) if settings.secret_key else None)


def present(settings: Settings, redis: Redis) -> AbstractContextManager[None]:
    """Register in a separate thread while a block runs."""
    return in_background(build_key_presence(settings, redis))
