"""A way to a port on which everything can be swallowed without a connection being closed: what a half-open connection is."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


# So much of what a connection says first is remembered (bytes).
BEGINNING = 1024


class Passage:
    """One connection and the one behind it. Once it has swallowed anything it never leads anywhere again."""

    def __init__(self, outside: socket.socket, inside: socket.socket) -> None:
        self.outside = outside
        self.inside = inside
        self.swallows = False
        self.began = b""

    def pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Lead bytes on, or swallow them; an end is swallowed too."""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source is self.outside and len(self.began) < BEGINNING:
                    self.began += data
                if not self.swallows:
                    sink.sendall(data)
        if not self.swallows:
            self.close()

    def close(self) -> None:
        """End both sides."""
        for sock in (self.outside, self.inside):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Strait:
    """Listens on a port of its own; `swallow`, `heal` and `lead_to` change what happens there."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._passages: list[Passage] = []
        self._swallows = False
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._run(self._listen)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for passage in self._passages:
            passage.close()

    def swallow(self) -> None:
        """Nothing comes through any more, and nobody is told."""
        with self._lock:
            self._swallows = True
            for passage in self._passages:
                passage.swallows = True

    def swallow_those_who_said(self, word: bytes) -> int:
        """The same, only of open connections that began with this; answers how many there are."""
        with self._lock:
            found = [passage for passage in self._passages if word in passage.began]
            for passage in found:
                passage.swallows = True
        return len(found)

    def heal(self) -> None:
        """New connections come through again; the old ones stay what they are."""
        with self._lock:
            self._swallows = False

    def lead_to(self, port: int) -> None:
        """New connections lead to another port; the old ones stay where they are, as behind an address that has moved."""
        with self._lock:
            self._behind = port

    def cut(self) -> None:
        """End every open connection."""
        with self._lock:
            passages, self._passages = self._passages, []
        for passage in passages:
            passage.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                outside, _ = self._listener.accept()
                try:
                    inside = socket.create_connection(("127.0.0.1", self._behind))
                except OSError:  # nobody is behind it just now
                    outside.close()
                    continue
                with self._lock:
                    passage = Passage(outside, inside)
                    passage.swallows = self._swallows
                    self._passages.append(passage)
                self._run(lambda passage=passage: passage.pump(passage.outside, passage.inside))  # type: ignore[misc] # bound here
                self._run(lambda passage=passage: passage.pump(passage.inside, passage.outside))  # type: ignore[misc] # bound here

    @staticmethod
    def _run(work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()
