"""Unknown sends: read GHL's conversation back to see what an earlier attempt left there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.case import READ_SECONDS
from bridge.answering.list_lag import doubt, note_lag
from bridge.errors import OutcomeUnknown
from bridge.ghl.readback import SLACK_MS, read_window
from bridge.model import Again
from bridge.policy.unknown_sends import Absent, Present, Unproven, wait_before_look

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import MessageId, Window
    from bridge.policy.list_lag import ListLag

    Finding = Present | Absent | Unproven
    Find = Callable[[Window, frozenset[MessageId]], Finding]

# A contact has one conversation as a rule; each more costs a request before a post is repeated.
MOST_OTHERS = 3


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
    finding, lag = _read(case, services, back_to_ms or since_ms, find)
    following = _wait(case, services, case.looks + 1, since_ms)
    if isinstance(finding, Present):
        return finding
    if following is not None:
        return Again(wait=following, why="not in the conversation yet", counts=False, looks=case.looks + 1)
    doubtful = _doubt(case, lag, since_ms, services) if isinstance(finding, Absent) else finding
    return doubtful or _look_elsewhere(case, services, back_to_ms or since_ms, find)


def _doubt(case: Case, lag: ListLag, since_ms: int, services: AnswerServices) -> Unproven | Again | None:
    """What isn't listed is absent only once it would be: the list may be behind."""
    doubtful = doubt(case, lag, since_ms, services)
    if isinstance(doubtful, Unproven):
        return doubtful
    if doubtful:
        return Again(wait=doubtful, why="not in the conversation, and GHL lists late", counts=False, looks=case.looks)
    return None


def _look_elsewhere(case: Case, services: AnswerServices, since_ms: int, find: Find) -> Finding:
    """Look into the contact's other conversations before its absence is believed: GHL may have filed the message there."""
    lane, now_ms = case.turn.lane, case.turn.now_ms(services.clock())
    known = services.ghl.conversations(lane.location_id, contact_id=lane.contact_id, token=case.token, seconds=READ_SECONDS)
    since = since_ms - SLACK_MS + (known.at_ms - now_ms if known.at_ms else 0)
    others = [
        one.conversation_id
        for one in known.found
        if one.contact_id == lane.contact_id and one.conversation_id != case.last.conversation_id and one.last_ms >= since
    ]
    if len(others) > MOST_OTHERS:
        return Unproven(f"the contact has {len(others)} other conversations that were written in since the attempt")
    for conversation in others:
        window = read_window(services.ghl, conversation, token=case.token, since_ms=since_ms, now_ms=now_ms, seconds=READ_SECONDS)
        finding = find(window, services.lanes.ours(lane, [message.id for message in window.messages]))
        if not isinstance(finding, Absent):
            return finding
    return Absent()


def _read(case: Case, services: AnswerServices, since_ms: int, find: Find) -> tuple[Finding, ListLag]:
    now_ms = case.turn.now_ms(services.clock())
    conversation = case.last.conversation_id
    window = read_window(services.ghl, conversation, token=case.token, since_ms=since_ms, now_ms=now_ms, seconds=READ_SECONDS)
    found = find(window, services.lanes.ours(case.turn.lane, [message.id for message in window.messages]))
    return found, note_lag(case, window.read, services)


def _wait(case: Case, services: AnswerServices, looks: int, since_ms: int) -> float | None:
    """Seconds until that look is due; None when there are no more looks, 0 for the only one that is left to do."""
    now_ms = case.turn.now_ms(services.clock())
    return wait_before_look(looks=looks, since_ms=since_ms, now_ms=now_ms, readback=services.readback)
