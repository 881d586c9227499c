"""Read a conversation back to a point in time, completely enough to prove that a message is absent."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.model import Window

if TYPE_CHECKING:
    from bridge.ghl.access import Access
    from bridge.ghl.client import GHL
    from bridge.model import ConversationId, Listed

MOST_PAGES = 10
# GHL's `Date` header has whole seconds, and a message may get its time shortly before the answer.
SLACK_MS = 2_000


def read_window(
    ghl: GHL, conversation_id: ConversationId, *, token: Access, since_ms: int, now_ms: int, seconds: float
) -> Window:
    """The messages since `since_ms`, a time of the clock that shows `now_ms` now.

    The time is converted to GHL's clock, which its answer shows. The time that the answer takes (a wait for the budget, a slow
    GHL) is no difference of the clocks, so it is subtracted: the window may begin too early, never too late. Pages are read back
    to that time, and texts that the list leaves out are read one by one. Raises Retryable, Permanent and OperatorMustFix if a
    read fails: then nothing is proven.
    """
    began = time.monotonic()
    end = began + seconds
    page = ghl.page(conversation_id, token=token, seconds=seconds)
    answered_ms = now_ms + round((time.monotonic() - began) * 1000)
    ahead_ms = page.at_ms - answered_ms if page.at_ms else 0
    since = since_ms - SLACK_MS + ahead_ms
    listed, pages = list(page.listed), 1
    while page.next_after and _newer(listed[-1], since) and pages < MOST_PAGES:
        page = ghl.page(conversation_id, token=token, seconds=end - time.monotonic(), after=page.next_after)
        listed, pages = [*listed, *page.listed], pages + 1
    complete = not page.next_after or not _newer(listed[-1], since)
    window = [message for message in listed if _newer(message, since)]
    whole = tuple(_whole(ghl, message, token, end) for message in window)
    return Window(messages=whole, complete=complete, read=tuple(listed), more=bool(page.next_after), ahead_ms=ahead_ms)


def _newer(message: Listed, since: int) -> bool:
    """Whether a message is newer; one with an unreadable time counts as newer, so that it can't prove an absence."""
    return not message.date_added_ms or message.date_added_ms >= since


def _whole(ghl: GHL, message: Listed, token: Access, end: float) -> Listed:
    if message.text or message.direction != "outbound":
        return message
    return replace(message, text=ghl.text(message.id, token=token, seconds=end - time.monotonic()))
