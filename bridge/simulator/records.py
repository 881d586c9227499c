"""The last requests in the order of arrival, for tests whose counts are not as expected."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.simulator.wire_format import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.simulator.wire import Call

_KEPT = 10_000
_SECRET_HEADERS = ("authorization",)


@dataclass(slots=True)
class Record:
    """One request. `status` is None until it is answered; `ending` says how it ended without an answer."""

    call: Call
    at: float
    monotonic: float
    status: int | None = None
    ending: str = ""

    def shown(self) -> dict[str, Any]:
        """The request, for the control API."""
        call = self.call
        return {
            "endpoint": call.endpoint,
            "method": call.method,
            "path": call.path,
            "query": dict(call.query),
            "headers": _without_secrets(call.headers),
            "body": call.body,
            "location_id": call.location_id,
            "contact_id": call.contact_id,
            "status": self.status,
            "ending": self.ending,
            "at": iso(int(self.at * 1000)),
            "monotonic": self.monotonic,
        }


class Records:
    """A list of requests of limited length; the oldest are dropped."""

    def __init__(self) -> None:
        self._kept: deque[Record] = deque(maxlen=_KEPT)

    def begin(self, call: Call) -> Record:
        """Record a request when it arrives."""
        record = Record(call, time.time(), time.monotonic())
        self._kept.append(record)
        return record

    def listed(self, *, endpoint: str = "", contact_id: str = "", limit: int = _KEPT) -> list[dict[str, Any]]:
        """The last `limit` matching requests, in the order of arrival."""
        chosen = [
            record
            for record in self._kept
            if endpoint in ("", record.call.endpoint) and contact_id in ("", record.call.contact_id)
        ]
        return [record.shown() for record in chosen[-limit:]]


def fingerprint(secret: str) -> str:
    """A name for a secret that doesn't reveal it."""
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()[:12]


def _without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    shown = dict(headers)
    for name in _SECRET_HEADERS:
        if name in shown:
            scheme, _, secret = shown[name].partition(" ")
            shown[name] = f"{scheme} {fingerprint(secret)}"
    return shown
