"""Did a write whose answer never came arrive? Settled by what GHL's conversation shows.

Two questions, both pure: when to look next, and is it there.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.model import Listed, MessageId

# GHL's clock and ours differ, and a message carries the second at which GHL took it.
CLOCK_SLACK_MS = 5_000


def wait_before_look(*, looks: int, since_ms: int, now_ms: int, readback: Sequence[float]) -> float | None:
    """Seconds until look number `looks` (0 is the first) is due; None when all looks are done.

    `readback` are the waits before each look, counted from the attempt at `since_ms`, one after the other.
    """
    if looks >= len(readback):
        return None
    due = since_ms + sum(readback[: looks + 1]) * 1000
    return max(0.0, (due - now_ms) / 1000)


def find(listed: Iterable[Listed], *, text: str, claimed: str, since_ms: int) -> MessageId | None:
    """The outbound message that carries this text, or the claimed id, and isn't older than the attempt."""
    for message in listed:
        if message.direction != "outbound":
            continue
        if claimed and message.id == claimed:
            return message.id
        young = message.date_added_ms >= since_ms - CLOCK_SLACK_MS
        if young and not message.user_id and text and _same(message.text, text):
            return message.id
    return None


def find_any(listed: Iterable[Listed], *, since_ms: int) -> MessageId | None:
    """Any outbound message without a user that isn't older than the attempt: what a provider may have delivered unheard."""
    for message in listed:
        if message.direction == "outbound" and not message.user_id and message.date_added_ms >= since_ms - CLOCK_SLACK_MS:
            return message.id
    return None


def _same(listed: str, text: str) -> bool:
    """GHL may rewrite white space and e-mail markup; the words stay. A text that is nothing but markup stands for itself."""
    if _words(text):
        return _words(listed) == _words(text)
    return listed.split() == text.split()


def _words(text: str) -> list[str]:
    return unescape(re.sub(r"<[^>]+>", " ", text)).casefold().split()
