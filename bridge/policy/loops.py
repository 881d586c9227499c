"""Loop detection: whether the contact is a bot, from the latest messages, before the completion."""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from bridge.model import PastMessage, Reason, Skip
from bridge.policy.normalise import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.model import InboundMessage

# How much of the transcript is checked.
MOST_LOOKED_AT = 60
HOUR_MS = 3600 * 1000
# People repeat "yes" and "hello?"; bots repeat whole sentences.
_SHORT_WORDS = 4
_SAME_SHORT, _SAME_LONG = 8, 3
# No person answers within ten seconds twenty times in a row.
_QUICK_MS = 10_000
_QUICK_ANSWERS = 20
_OWN_REPLIES = 5


def judge_loop(messages: Sequence[InboundMessage], said: Sequence[PastMessage], *, now_ms: int) -> Skip | None:
    """Compare a turn's messages with the earlier ones, both oldest first. None: it may be a person."""
    return _echo(messages, said) or _repetition(messages[-1], said, now_ms) or _cadence(messages[0], said)


def _echo(messages: Sequence[InboundMessage], said: Sequence[PastMessage]) -> Skip | None:
    ours = [one for one in said if one.role == "assistant" and _is_long(one.content)][-_OWN_REPLIES:]
    own = {digest(one.content): one.id for one in ours}
    for message in messages:
        if found := own.get(digest(message.text)):
            return Skip(Reason.LOOP, f"the contact sent the text of our reply {found}")
    return None


def _repetition(message: InboundMessage, said: Sequence[PastMessage], now_ms: int) -> Skip | None:
    name, times = digest(message.text), 1
    for one in reversed([one for one in said if one.role == "user"]):
        if digest(one.content) != name or one.at_ms < now_ms - HOUR_MS:
            break
        times += 1
    most = _SAME_LONG if _is_long(message.text) else _SAME_SHORT
    return Skip(Reason.LOOP, f"the same text {times} times within an hour") if times >= most else None


def _cadence(message: InboundMessage, said: Sequence[PastMessage]) -> Skip | None:
    waits = list(_waits([*said, PastMessage("user", message.text, at_ms=message.date_added_ms)]))
    quick = sum(1 for _ in takewhile(lambda wait: wait is not None and wait <= _QUICK_MS, reversed(waits)))
    if quick < _QUICK_ANSWERS:
        return None
    return Skip(Reason.LOOP, f"{quick} of our replies in a row were answered within {_QUICK_MS // 1000} s")


def _waits(entries: Sequence[PastMessage]) -> Iterator[int | None]:
    """How long after our reply (ms) each text of the contact came; None if it was not an answer.

    Immediate further texts count as one.
    """
    for before, after in pairwise(entries):
        wait = after.at_ms - before.at_ms
        if after.role == "user" and (before.role == "assistant" or wait > _QUICK_MS):
            yield wait if before.role == "assistant" else None


def _is_long(text: str) -> bool:
    return len(text.split()) > _SHORT_WORDS
