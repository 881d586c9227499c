"""The heartbeat: a thread that renews the leases of all turns in progress, with a separate Redis client."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from bridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.model import Turn
    from bridge.store.lanes.leases import Lanes

log = structlog.get_logger()


class Heartbeat:
    """Renews every kept turn each `every` seconds. A lost lease is not reported, because every write and post checks it."""

    def __init__(self, lanes: Lanes, *, every: float) -> None:
        self._lanes = lanes
        self._every = every
        self._kept: dict[str, Turn] = {}
        self._posting: set[str] = set()
        self._posted: set[str] = set()
        self._given_back: set[str] = set()
        self._stopping = threading.Event()

    @contextmanager
    def keeping(self, turn: Turn) -> Iterator[None]:
        """Renew the turn's lease until the block ends."""
        self._kept[turn.token] = turn
        try:
            yield
        finally:
            del self._kept[turn.token]
            self._posted.discard(turn.token)

    @contextmanager
    def posting(self, turn: Turn) -> Iterator[None]:
        """Mark the block in which a post may be in progress."""
        self._posting.add(turn.token)
        try:
            yield
        finally:
            self._posting.discard(turn.token)

    def posted(self, turn: Turn) -> None:
        """Keep the mark of a post until the turn ends, because only its end records the post."""
        self._posted.add(turn.token)

    def idle(self) -> list[Turn]:
        """The kept turns without a post in progress or a post that isn't recorded."""
        return [turn for turn in list(self._kept.values()) if turn.token not in self._posting | self._posted]

    def giving_back(self, turn: Turn) -> None:
        """Mark a turn that is about to be given back: its thread may do nothing more that can't be undone."""
        self._given_back.add(turn.token)

    def gave_back(self, turn: Turn) -> bool:
        """Whether this process gave the turn back, or is about to."""
        return turn.token in self._given_back

    def is_posting(self) -> bool:
        """Whether any post is in progress, or not recorded yet."""
        return bool(self._posting or self._posted)

    def run(self) -> None:
        """Renew leases until `stop`."""
        while not self._stopping.wait(self._every):
            self.beat()

    def beat(self) -> None:
        """Renew all leases once."""
        # Copied in one step of the interpreter, because other threads add and remove turns.
        turns = list(self._kept.values())
        if not turns:
            return
        try:
            self._lanes.renew(turns)
        except Unavailable as error:
            log.warning("heartbeat.missed", turns=len(turns), why=str(error))

    def stop(self) -> None:
        """Stop renewing."""
        self._stopping.set()
