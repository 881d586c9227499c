"""A process counts its own writes, so that a state that lost one is noticed (parts/rollback.lua)."""

from __future__ import annotations

from bridge.store.redis.nonces import nonce


class WriteCount:
    """The count of one writer, which makes one write at a time."""

    def __init__(self) -> None:
        self._process = nonce()
        self._written = 0
        self._next = 0

    def next(self) -> tuple[str, int, int]:
        """The numbers for the next write: the writer, its newest write that Redis has answered (0: none), and its own."""
        self._next += 1
        return self._process, self._written, self._next

    def answered(self) -> None:
        """Record that Redis has answered the newest write."""
        self._written = self._next
