"""Downloads a file from an address in a message, which the sender of the message may have chosen.

Only https to public addresses is allowed, and each redirect is checked like the first address. No login or cookie is sent, and
the limits of bytes and seconds hold whatever length the server reports. Loopback is allowed only if GHL is simulated there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from bridge.addresses import is_this_machine
from bridge.errors import BridgeError, OperatorMustFix
from bridge.wire.calls import CutShort

if TYPE_CHECKING:
    from bridge.wire.calls import Answer, Wire

MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Media hosts answer these for an expired address.
_STALE = frozenset({401, 403, 404, 410})


@dataclass(frozen=True, slots=True)
class Download:
    """A file's bytes, or a phrase with the reason why there are none; `stale`: a new address of the file may work."""

    content: bytes = b""
    why: str = ""
    stale: bool = False


class Downloads:
    """Downloads with an HTTP client for public addresses. `simulated`: GHL is on this machine, so its files may be too."""

    def __init__(self, wire: Wire, *, simulated: bool) -> None:
        self._wire = wire
        self._simulated = simulated

    def get(self, url: str, *, seconds: float, max_bytes: int) -> Download:
        """Download the file at an address within `seconds` in total.

        Never raises: the result contains the reason of a failure.
        """
        end = time.monotonic() + seconds
        for _ in range(MOST_REDIRECTS + 1):
            if why := self._why_refused(url):
                return Download(why=why)
            try:
                answer = self._wire.call("GET", url, headers={}, seconds=end - time.monotonic(), max_bytes=max_bytes)
            except CutShort:
                return Download(why=f"it is larger than {max_bytes} bytes, or did not arrive within {seconds:g} s")
            except OperatorMustFix:
                return Download(why="its address is not public")
            except BridgeError:
                return Download(why=f"its host did not answer within {seconds:g} s")
            if answer.status not in _REDIRECTS:
                return _read(answer)
            url = urljoin(url, answer.headers.get("Location", ""))
        return Download(why=f"more than {MOST_REDIRECTS} redirects")

    def _why_refused(self, url: str) -> str:
        try:
            parts = urlsplit(url)
            at_home = is_this_machine(parts.hostname or "")
        except ValueError:
            return "its address is invalid"
        if at_home:
            return "" if self._simulated and parts.scheme in {"http", "https"} else "its address is this machine's"
        return "" if parts.scheme == "https" and not parts.username else "its address is not https"


def _read(answer: Answer) -> Download:
    if answer.status == 200:  # noqa: PLR2004 - the protocol's own number; a part of a file is none
        return Download(content=answer.body) if answer.body else Download(why="it is empty")
    return Download(why=f"its host answered HTTP {answer.status}", stale=answer.status in _STALE)
