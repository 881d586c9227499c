"""Get the answer for a case: the saved one, or a new one, which is saved immediately."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.failover import ask
from bridge.answering.read_back import look
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

# If it is unknown whether a provider delivered, it is asked only once more.
MOST_UNPROVEN_ASKS = 2


def obtain(case: Case, services: AnswerServices) -> Completion | Ended | Again:
    """Return the completion for this case, or the end or wait of the turn.

    Raises what the completer raises; Retryable if GHL can't be read; Permanent if the outcome of an earlier delivery is unknown.
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
    """Resolve an earlier attempt at a provider that may deliver by itself, without a readable answer.

    Returns the end of the turn, or the providers to ask now.
    """
    # If no answer came back, it may deliver as long as an answer is awaited, and GHL may list that as late as a post of ours.
    patience = 0 if earlier.answered else case.kept.location.provider_timeout_seconds + sum(services.readback)
    until_ms = earlier.at_ms + round(patience * 1000)
    finding = look(
        case, services, since_ms=earlier.at_ms, until_ms=until_ms, find=lambda window, ours: find_delivery(window, ours=ours)
    )
    match finding:
        case Again():
            return finding
        case Present(id=found):
            return case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=[found])
        case Unproven(why=why) if case.turn.asks >= MOST_UNPROVEN_ASKS:
            asked = f"the provider was asked {case.turn.asks} times"
            raise Permanent(f"outcome unknown: {asked}: {why}", outcome_unknown=True)
        case Absent():
            # Messages from now on are not the provider's delivery.
            why = "GHL shows no delivery by the provider"
            services.lanes.unanswered(case.turn, at_ms=case.now_ms(services), provider=case.turn.asked, why=why, may_deliver=True)
    first, fallback = case.kept.location.provider, case.kept.location.fallback_provider
    return failover.order_after_loss(first, fallback, lost=case.turn.asked, absent=isinstance(finding, Absent))
