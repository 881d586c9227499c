"""Bring an answer into the conversation: once, or with the knowledge that it can't be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.case import delivery, guard_anew, may_become_stale
from bridge.answering.settling import look
from bridge.errors import Permanent, Retryable
from bridge.ghl import messages
from bridge.model import Again, MessageId, SendState, Sent, Skip, Status
from bridge.policy.settling import Found, Unproven, find_post
from bridge.store.lanes import Newest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.answering.case import Case, Desk
    from bridge.ghl.access import Access
    from bridge.model import Completion, Ended, Reply

PART = "0"
STALE = Again(wait=0, why="a newer message made the answer stale", counts=False, stale=True)


def deliver(case: Case, completion: Completion, desk: Desk) -> Ended | Again:
    """Post the answer, unless it is there already, or somebody else's to deliver, or a guard speaks against it by now.

    Raises Retryable and Permanent (the part is not in GHL), OutcomeUnknown (it may be) and Fenced.
    """
    settled = _nothing_to_post(case, completion) or _settle(case, completion, desk)
    if settled:
        return settled
    outcome = guard_anew(case, desk) or post(case, PART, completion.text, desk, unless_stale=True)
    match outcome:
        case Again():
            return outcome
        case Skip():
            return case.ended(Status.SKIPPED, outcome)
        case Sent():
            return case.ended(Status.REPLIED, reply_ids=outcome.message_ids)


def post(case: Case, part: str, text: str, desk: Desk, *, unless_stale: bool) -> Sent | Skip | Again:
    """Post one text, noted in the ledger before and after. `unless_stale`: a newer message forbids it, as long as one may.

    Raises as `deliver`.
    """
    reply = messages.build(case.last, text, draft=case.kept.location.mode == "draft")
    turn, token = case.turn, case.token
    newest = Newest(seen=turn.waiting - case.skipped, line=case.last.line) if unless_stale and may_become_stale(turn) else None
    case.looks = 0
    with desk.heartbeat.posting(turn):
        if not desk.lanes.sending(turn, part, at_ms=turn.now_ms(desk.clock()), channel=reply.type, newest=newest):
            return STALE
        outcome = _send(case, part, reply, token, desk)
        if isinstance(outcome, Sent):
            desk.lanes.sent(turn, part, outcome.message_ids, at_ms=turn.now_ms(desk.clock()), how="posted")
        return outcome


def _nothing_to_post(case: Case, completion: Completion) -> Ended | None:
    if not completion.text:
        return case.ended(Status.NO_REPLY)
    if delivery(case.kept.location) == "provider":
        return case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=_claimed(completion))
    entry = case.turn.ledger.get(PART)
    if entry and entry.state is SendState.SENT:
        return case.ended(Status.REPLIED, reply_ids=entry.message_ids)
    return None


def _settle(case: Case, completion: Completion, desk: Desk) -> Ended | Again | None:
    """Look for a reply that an earlier try may have posted, or that the provider says it delivered. Raises Permanent."""
    entry = case.turn.ledger.get(PART)
    sending = entry if entry and entry.state is SendState.SENDING else None
    claims = delivery(case.kept.location) == "auto" and completion.claims_delivery
    if not sending and (not claims or entry):
        return None
    since = sending.at_ms if sending else case.turn.answered_at_ms or case.turn.leased_at_ms
    text, claim = completion.text, completion.claimed_message_id if claims else ""
    finding = look(case, desk, since_ms=since, find=lambda window, ours: find_post(window, text=text, claimed=claim, ours=ours))
    match finding:
        case Again():
            return finding
        case Unproven(why=why):
            raise Permanent(f"outcome unknown: {why}")
        case Found(id=found) if sending:
            desk.lanes.sent(case.turn, PART, [found], at_ms=case.turn.now_ms(desk.clock()), how="found in the conversation")
            return case.ended(Status.REPLIED, reply_ids=[found])
        case Found(id=found):
            return case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=[found])
    if case.turn.attempts > len(desk.retry_delays):
        raise Permanent("outcome unknown at the last try; it is not in the conversation, and no try is left")
    return None


def _send(case: Case, part: str, reply: Reply, token: Access, desk: Desk) -> Sent | Skip:
    turn = case.turn
    try:
        outcome = desk.ghl.post(
            reply,
            token=token,
            seconds=desk.post_seconds,
            before_send=lambda: desk.lanes.check(turn, seconds=desk.post_seconds),
        )
    except (Retryable, Permanent):
        desk.lanes.not_sent(turn, part, at_ms=turn.now_ms(desk.clock()))
        raise
    if isinstance(outcome, Skip):
        desk.lanes.not_sent(turn, part, at_ms=turn.now_ms(desk.clock()))
    return outcome


def _claimed(completion: Completion) -> Sequence[MessageId]:
    return [MessageId(completion.claimed_message_id)] if completion.claimed_message_id else []
