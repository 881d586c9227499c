"""Look into GHL's conversation for what an earlier try may have left there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.case import READ_SECONDS
from bridge.errors import OutcomeUnknown, Permanent
from bridge.ghl.readback import read_window
from bridge.model import Again
from bridge.policy.settling import wait_before_look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.answering.case import Case, Desk
    from bridge.model import Listed, MessageId


def look(
    case: Case, desk: Desk, *, since_ms: int, match: Callable[[Sequence[Listed]], MessageId | None]
) -> MessageId | Again | None:
    """Read the conversation back if a look is due.

    `match` is shown what isn't older than `since_ms` by GHL's own clock, and settles nothing yet: it need not ask for times.
    The id that it found; Again when it is too early or another look is to follow; None when the last look found nothing,
    which counts as proof of absence. Raises Retryable when GHL can't be read, OutcomeUnknown when there is nothing to read or
    not all of it was read, and Permanent when absence is proven but no try is left.
    """
    wait = _wait(case, desk, case.looks, since_ms)
    if wait is None:
        return None
    if wait > 0:
        return Again(wait=wait, why="waiting to read the conversation back", counts=False, looks=case.looks)
    if not case.last.conversation_id:
        raise OutcomeUnknown(f"the conversation of {case.turn.lane} is not known, so it can't be read back")
    now_ms = case.turn.now_ms(desk.clock())
    conversation = case.last.conversation_id
    window = read_window(desk.ghl, conversation, token=case.token, since_ms=since_ms, now_ms=now_ms, seconds=READ_SECONDS)
    # One id settles one part: an earlier reply in the same words is not this one.
    settled = desk.lanes.settled(case.turn, [message.id for message in window.messages])
    found = match([message for message in window.messages if message.id not in settled])
    following = _wait(case, desk, case.looks + 1, since_ms)
    if not found and following is None and not window.complete:
        raise OutcomeUnknown("the conversation is too long to be read back to the attempt")
    if not found and following is None and case.turn.attempts > len(desk.retry_delays):
        raise Permanent("outcome unknown: not in the conversation at the last look, and the tries are used up")
    if found or following is None:
        return found
    return Again(wait=following, why="not in the conversation yet", counts=False, looks=case.looks + 1)


def _wait(case: Case, desk: Desk, looks: int, since_ms: int) -> float | None:
    now_ms = case.turn.now_ms(desk.clock())
    return wait_before_look(looks=looks, since_ms=since_ms, now_ms=now_ms, readback=desk.readback)
