"""A provider's answer is saved before anything else can happen: at once, or together with the record of its first post.

Both writes are one call if there is nothing between them: no request, no wait, no connection to open. The guards then use data
from the beginning of the turn; the record of the post checks whether it still holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.case import delivery
from bridge.answering.guarding import needs_nothing
from bridge.model import LedgerEntry, SendState
from bridge.store.lanes.answers import UnsavedAnswer
from bridge.store.lanes.steps import ASK

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Completion
    from bridge.store.lanes.answers import AnswerDetails


def keep(case: Case, completion: Completion, details: AnswerDetails, services: AnswerServices) -> None:
    """Save an answer, or leave it to the record of its first post if that follows immediately."""
    if _follows_at_once(case, completion, services):
        case.unsaved = UnsavedAnswer(case.ids, completion, details)
    else:
        _save(case, completion, details, services)


def save(case: Case, services: AnswerServices) -> None:
    """Save the answer if it isn't saved yet."""
    if answer := take(case):
        _save(case, answer.completion, answer.details, services)


def save_rest(case: Case, services: AnswerServices) -> None:
    """Save what an attempt has not saved yet: the answer, and who the contact is."""
    save(case, services)
    if case.person and services.people:
        services.people.keep(case.turn.lane, case.person)
        case.person = ""


def take(case: Case) -> UnsavedAnswer | None:
    """The answer that isn't saved yet, for a step that saves it."""
    answer, case.unsaved = case.unsaved, None
    if answer and answer.details.get("may_deliver"):
        at_ms = answer.details["at_ms"]
        asked = LedgerEntry(state=SendState.NOT_SENT, at_ms=at_ms)
        case.turn = replace(case.turn, ledger={**case.turn.ledger, ASK: asked}, answered_at_ms=at_ms)
    return answer


def _save(case: Case, completion: Completion, details: AnswerDetails, services: AnswerServices) -> None:
    conversation_id = case.last.conversation_id
    now = services.lanes.answered(case.turn, case.ids, completion, conversation_id=conversation_id, **details)
    case.told = now.situation
    if details.get("may_deliver"):
        # Its delivery may have been reported before its answer arrived.
        case.turn = replace(case.turn, ledger=now.ledger, answered_at_ms=details["at_ms"])


def _follows_at_once(case: Case, completion: Completion, services: AnswerServices) -> bool:
    """Whether the post of an answer needs no request or look-up before it; it is not known whether a connection is open."""
    if not completion.text or completion.claims_delivery or delivery(case.kept.location, completion) == "provider":
        return False
    is_first = not case.turn.ledger and not case.turn.replayed
    return is_first and needs_nothing(case, services) and services.ghl_access.token_ready(case.kept)
