"""Watches the simulator: which webhooks were accepted, and when each message was quoted in a reply."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.soak.plan import MARK

if TYPE_CHECKING:
    from types import TracebackType


class Watch:
    """Reads the simulator's event stream in its own thread; all times are monotonic seconds."""

    def __init__(self, url: str) -> None:
        self.accepted: dict[str, float] = {}
        self.replied: dict[str, list[float]] = {}
        self.last_reply = 0.0
        self.statuses: Counter[str] = Counter()
        self._url = url
        self._http = httpx.Client(trust_env=False, timeout=60)
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(10), "the simulator's events can't be read"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._thread.join(10)
        self._http.close()

    def _listen(self) -> None:
        # The stream ends with the simulator.
        with contextlib.suppress(httpx.HTTPError), self._http.stream("GET", f"{self._url}/_sim/events") as stream:
            kind = ""
            for line in stream.iter_lines():
                self._listening.set()
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind in {"webhook", "message"}:
                    self._note(kind, json.loads(line.removeprefix("data: ")))

    def _note(self, kind: str, event: dict[str, Any]) -> None:
        now = time.monotonic()
        if kind == "webhook":
            self.statuses[str(event["status_code"] or "unreachable")] += 1
            if _is_accepted(event):
                self.accepted.setdefault(event["webhookId"], now)
        elif event["direction"] == "outbound":
            self.last_reply = now
            for mark in MARK.findall(event["text"]):
                self.replied.setdefault(mark, []).append(now)


def _is_accepted(event: dict[str, Any]) -> bool:
    """Whether it was accepted: a 2xx that does not say that there is nothing to answer."""
    taken = event["status_code"] is not None and httpx.codes.is_success(event["status_code"])
    body = event["body"]
    return taken and not (isinstance(body, dict) and body.get("status") == "ignored")
