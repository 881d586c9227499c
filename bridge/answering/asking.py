"""Get the answer to a case: the saved one, or a new one that is saved before anything else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.settling import look
from bridge.model import Again, Ended, MessageId, SendState, Status
from bridge.policy import settling, transcript
from bridge.store.lanes import ASK

if TYPE_CHECKING:
    from bridge.answering.case import Case, Desk
    from bridge.completion import Completer
    from bridge.model import Completion

# So many answers in a row without a claim of delivery: the location's provider leaves the delivery to us (DESIGN).
KNOWN_AFTER = 3


def obtain(case: Case, desk: Desk) -> Completion | Ended | Again:
    """The completion for this case, or how the turn ends or waits instead.

    Raises what the completer raises, and Retryable when GHL can't be read.
    """
    if case.turn.answer:
        return case.turn.answer
    earlier = case.turn.ledger.get(ASK)
    if earlier and earlier.state is SendState.ASKING:
        found = look(case, desk, since_ms=earlier.at_ms, match=lambda listed: settling.find_any(listed, since_ms=0))
        if isinstance(found, Again):
            return found
        if found:
            return case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=[MessageId(found)])
    return _ask(case, desk)


def _ask(case: Case, desk: Desk) -> Completion:
    may_deliver = _may_deliver(case)
    completer: Completer = desk.providers(case.kept.location, may_deliver=may_deliver)
    began = desk.clock()
    case.looks = 0
    desk.lanes.asking(case.turn, case.ids, at_ms=case.turn.now_ms(began), may_deliver=may_deliver)
    completion = completer.complete(transcript.ask(case.messages), seconds=case.kept.location.provider_timeout_seconds)
    desk.lanes.answered(case.turn, case.ids, completion, at_ms=case.turn.now_ms(desk.clock()), seconds=desk.clock() - began)
    return completion


def _may_deliver(case: Case) -> bool:
    location = case.kept.location
    if location.provider != "assistable" or location.assistable.delivery == "bridge":
        return False
    return location.assistable.delivery == "provider" or case.kept.unclaimed < KNOWN_AFTER
