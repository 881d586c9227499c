"""Bring an answer into the conversation: once, or with the knowledge that it can't be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.case import guard_anew
from bridge.answering.settling import look
from bridge.errors import Permanent, Retryable
from bridge.ghl import messages
from bridge.model import Again, MessageId, SendState, Sent, Skip, Status
from bridge.policy import settling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.answering.case import Case, Desk
    from bridge.model import Completion, Ended, LedgerEntry

PART = "0"


def deliver(case: Case, completion: Completion, desk: Desk) -> Ended | Again:
    """Post the answer, unless it is there already, or somebody else's to deliver, or a guard speaks against it by now.

    Raises Retryable and Permanent (the part is not in GHL), OutcomeUnknown (it may be) and Fenced.
    """
    if not completion.text:
        return case.ended(Status.NO_REPLY)
    if case.kept.location.provider == "assistable" and case.kept.location.assistable.delivery == "provider":
        return case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=_claimed(completion))
    entry = case.turn.ledger.get(PART)
    if entry and entry.state is SendState.SENT:
        return case.ended(Status.REPLIED, reply_ids=entry.message_ids)
    settled = _settle(case, completion, entry, desk)
    if settled:
        return settled
    skip = guard_anew(case, desk)
    outcome = skip or _post(case, completion.text, desk)
    if isinstance(outcome, Skip):
        return case.ended(Status.SKIPPED, outcome)
    return case.ended(Status.REPLIED, reply_ids=outcome.message_ids)


def _settle(case: Case, completion: Completion, entry: LedgerEntry | None, desk: Desk) -> Ended | Again | None:
    """Look for a reply that an earlier try may have posted, or that the provider says it delivered."""
    sending = entry if entry and entry.state is SendState.SENDING else None
    claim = completion.claimed_message_id if _trusts_claims(case) else ""
    if not sending and not claim:
        return None
    since = sending.at_ms if sending else case.turn.answered_at_ms or case.turn.leased_at_ms
    text = completion.text
    found = look(case, desk, since_ms=since, match=lambda rows: settling.find(rows, text=text, claimed=claim, since_ms=0))
    if isinstance(found, Again) or not found:
        return found if isinstance(found, Again) else None
    if sending:
        desk.lanes.sent(case.turn, PART, [found], at_ms=case.turn.now_ms(desk.clock()), how="found in the conversation")
    return case.ended(Status.REPLIED if sending else Status.DELIVERED_BY_PROVIDER, reply_ids=[found])


def _trusts_claims(case: Case) -> bool:
    return case.kept.location.provider == "assistable" and case.kept.location.assistable.delivery == "auto"


def _claimed(completion: Completion) -> Sequence[MessageId]:
    return [MessageId(completion.claimed_message_id)] if completion.claimed_message_id else []


def _post(case: Case, text: str, desk: Desk) -> Sent | Skip:
    reply = messages.build(case.last, text, draft=case.kept.location.mode == "draft")
    turn, token = case.turn, case.token
    case.looks = 0
    desk.lanes.sending(turn, PART, at_ms=turn.now_ms(desk.clock()), channel=reply.type)
    try:
        outcome = desk.ghl.post(
            reply,
            token=token,
            seconds=desk.post_seconds,
            before_send=lambda: desk.lanes.check(turn, seconds=desk.post_seconds),
        )
    except (Retryable, Permanent):
        desk.lanes.not_sent(turn, PART, at_ms=turn.now_ms(desk.clock()))
        raise
    if isinstance(outcome, Skip):
        desk.lanes.not_sent(turn, PART, at_ms=turn.now_ms(desk.clock()))
    else:
        desk.lanes.sent(turn, PART, outcome.message_ids, at_ms=turn.now_ms(desk.clock()), how="posted")
    return outcome
