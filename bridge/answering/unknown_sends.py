"""Unknown sends: read GHL's conversation back to see what an earlier attempt left there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.case import READ_SECONDS
from bridge.errors import OutcomeUnknown
from bridge.ghl.readback import read_window
from bridge.model import Again
from bridge.policy.unknown_sends import Absent, Present, Unproven, wait_before_look

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import MessageId, Window

    Finding = Present | Absent | Unproven
    Find = Callable[[Window, frozenset[MessageId]], Finding]


def look(case: Case, services: AnswerServices, *, since_ms: int, find: Find, back_to_ms: int = 0) -> Finding | Again:
    """Read the conversation back if a look is due; Again when it is too early, or when another look is to follow.

    Looks are planned from `since_ms`; what they look for may be as old as `back_to_ms`, if that is earlier.
    Raises Retryable when GHL can't be read, and OutcomeUnknown when there is no conversation to read.
    """
    wait = _wait(case, services, case.looks, since_ms)
    if wait:
        return Again(wait=wait, why="waiting to read the conversation back", counts=False, looks=case.looks)
    if not case.last.conversation_id:
        raise OutcomeUnknown(f"the conversation of {case.turn.lane} is not known, so it can't be read back")
    finding = _read(case, services, back_to_ms or since_ms, find)
    following = _wait(case, services, case.looks + 1, since_ms)
    if isinstance(finding, Present) or following is None:
        return finding
    return Again(wait=following, why="not in the conversation yet", counts=False, looks=case.looks + 1)


def _read(case: Case, services: AnswerServices, since_ms: int, find: Find) -> Finding:
    now_ms = case.turn.now_ms(services.clock())
    conversation = case.last.conversation_id
    window = read_window(services.ghl, conversation, token=case.token, since_ms=since_ms, now_ms=now_ms, seconds=READ_SECONDS)
    return find(window, services.lanes.ours(case.turn.lane, [message.id for message in window.messages]))


def _wait(case: Case, services: AnswerServices, looks: int, since_ms: int) -> float | None:
    """Seconds until that look is due; None when there are no more looks, 0 for the only one that is left to do."""
    now_ms = case.turn.now_ms(services.clock())
    return wait_before_look(looks=looks, since_ms=since_ms, now_ms=now_ms, readback=services.readback)
