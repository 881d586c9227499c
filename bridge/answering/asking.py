"""Get the answer to a case: the saved one, or a new one that is saved before anything else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.failover import ask
from bridge.answering.unknown_sends import look
from bridge.errors import Permanent
from bridge.model import Again, Ended, SendState, Status
from bridge.policy import failover
from bridge.policy.unknown_sends import Absent, Present, Unproven, find_delivery
from bridge.store.lanes.steps import ASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Completion, LedgerEntry

# A provider whose delivery can be neither found nor excluded is asked once more, and not again.
MOST_UNPROVEN_ASKS = 2


def obtain(case: Case, services: AnswerServices) -> Completion | Ended | Again:
    """The completion for this case, or how the turn ends or waits instead.

    Raises what the completer raises, Retryable when GHL can't be read, Permanent when it can't be known what was delivered.
    """
    if case.completion:
        return case.completion
    earlier = case.turn.ledger.get(ASK)
    if earlier and earlier.state is SendState.ASKING:
        settled = _settle(case, earlier, services)
        return settled if isinstance(settled, (Ended, Again)) else ask(case, settled, services)
    location = case.kept.location
    return ask(case, failover.order(location.provider, location.fallback_provider), services)


def _settle(case: Case, earlier: LedgerEntry, services: AnswerServices) -> Ended | Again | Sequence[str]:
    """An earlier try asked a provider that may deliver by itself, and no readable answer came: the end, or whom to ask now."""
    finding = look(case, services, since_ms=earlier.at_ms, find=lambda window, ours: find_delivery(window, ours=ours))
    match finding:
        case Again():
            return finding
        case Present(id=found):
            return case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=[found])
        case Unproven(why=why) if case.turn.asks >= MOST_UNPROVEN_ASKS:
            asked = f"the provider was asked {case.turn.asks} times"
            raise Permanent(f"outcome unknown: {asked}: {why}", outcome_unknown=True)
        case Absent():
            # Whoever writes from here on is no delivery of the provider's.
            why = "GHL shows no delivery of its own"
            services.lanes.unanswered(case.turn, at_ms=case.now_ms(services), provider=case.turn.asked, why=why, may_deliver=True)
    first, fallback = case.kept.location.provider, case.kept.location.fallback_provider
    return failover.order_after_loss(first, fallback, lost=case.turn.asked, absent=isinstance(finding, Absent))
