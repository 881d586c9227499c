"""Get the answer to a case: the saved one, or a new one that is saved before anything else happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.history import history
from bridge.answering.settling import look
from bridge.errors import Permanent
from bridge.model import Again, Ended, SendState, Status
from bridge.policy import transcript
from bridge.policy.settling import Found, Unproven, find_delivery
from bridge.store.lanes import ASK

if TYPE_CHECKING:
    from bridge.answering.case import Case, Desk
    from bridge.model import Completion, LedgerEntry

# So many answers in a row without a claim of delivery: the location's provider leaves the delivery to us (DESIGN).
KNOWN_AFTER = 3
# A provider whose delivery can be neither found nor excluded is asked once more, and not again.
MOST_UNPROVEN_ASKS = 2


def obtain(case: Case, desk: Desk) -> Completion | Ended | Again:
    """The completion for this case, or how the turn ends or waits instead.

    Raises what the completer raises, Retryable when GHL can't be read, Permanent when it can't be known what was delivered.
    """
    if case.completion:
        return case.completion
    earlier = case.turn.ledger.get(ASK)
    if earlier and earlier.state is SendState.ASKING:
        settled = _settle(case, earlier, desk)
        if settled:
            return settled
    return _ask(case, desk)


def _settle(case: Case, earlier: LedgerEntry, desk: Desk) -> Ended | Again | None:
    """An earlier try asked a provider that may deliver by itself, and no readable answer came."""
    finding = look(case, desk, since_ms=earlier.at_ms, find=lambda window, ours: find_delivery(window, ours=ours))
    match finding:
        case Again():
            return finding
        case Found(id=found):
            return case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=[found])
        case Unproven(why=why) if case.turn.asks >= MOST_UNPROVEN_ASKS:
            raise Permanent(f"outcome unknown: the provider was asked {case.turn.asks} times: {why}")
    return None


def _ask(case: Case, desk: Desk) -> Completion:
    may_deliver = _may_deliver(case)
    completer = desk.providers(case.kept.location, case.kept.location.provider, may_deliver=may_deliver)
    contact = case.looked_up[0] if case.looked_up else None
    said = history(case, desk)
    question = replace(
        transcript.ask(case.messages, case.turn.carried), history=said, session_id=case.turn.session, contact=contact
    )
    began = desk.clock()
    case.looks = 0
    desk.lanes.asking(case.turn, case.ids, at_ms=case.turn.now_ms(began), may_deliver=may_deliver)
    completion = completer.complete(question, seconds=case.kept.location.provider_timeout_seconds)
    now_ms, seconds = case.turn.now_ms(desk.clock()), desk.clock() - began
    desk.lanes.answered(case.turn, case.ids, completion, at_ms=now_ms, seconds=seconds, may_deliver=may_deliver)
    case.completion = completion
    return completion


def _may_deliver(case: Case) -> bool:
    location = case.kept.location
    if location.provider != "assistable" or location.assistable.delivery == "bridge":
        return False
    return location.assistable.delivery == "provider" or case.kept.unclaimed < KNOWN_AFTER
