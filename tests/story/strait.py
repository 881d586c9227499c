"""A proxy to a port that can swallow all bytes without closing a connection, as a half-open connection does."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Passage:
    """One connection and its forward connection. Once it has swallowed bytes it stays dead."""

    def __init__(self, outside: socket.socket, inside: socket.socket) -> None:
        self.outside = outside
        self.inside = inside
        self.swallows = False

    def pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Forward bytes, or swallow them; an end is swallowed too."""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.swallows:
                    sink.sendall(data)
        if not self.swallows:
            self.close()

    def close(self) -> None:
        """Close both sides."""
        for sock in (self.outside, self.inside):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Strait:
    """Listens on its own port; `swallow`, `heal` and `lead_to` change its behaviour."""

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
        """Swallow all bytes from now on, without an error."""
        with self._lock:
            self._swallows = True
            for passage in self._passages:
                passage.swallows = True

    def heal(self) -> None:
        """Forward new connections again; old ones stay dead."""
        with self._lock:
            self._swallows = False

    def lead_to(self, port: int) -> None:
        """Forward new connections to another port; old ones stay, as with an address that has moved."""
        with self._lock:
            self._behind = port

    def cut(self) -> None:
        """Close every open connection."""
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
