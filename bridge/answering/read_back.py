"""Unknown sends: reads GHL's conversation back to find out whether an earlier attempt, or the provider, sent a reply."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.case import READ_SECONDS, delivery
from bridge.answering.list_lag import doubt, note_lag
from bridge.errors import OutcomeUnknown, Permanent
from bridge.ghl.message_window import SLACK_MS, read_window
from bridge.model import Again, MessageId, PastMessage, Posted, SendState, Sent, Status
from bridge.policy.unknown_sends import Absent, Present, Unproven, find_post, wait_before_look
from bridge.store.lanes.steps import ASK, entry_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Completion, Ended, LedgerEntry, Posting, Window
    from bridge.policy.list_lag import ListLag

    Finding = Present | Absent | Unproven
    Find = Callable[[Window, frozenset[MessageId]], Finding]

# A contact usually has one conversation; each further one costs a request before a post is repeated.
MOST_OTHERS = 3


def look(
    case: Case, services: AnswerServices, *, since_ms: int, find: Find, back_to_ms: int = 0, until_ms: int = 0
) -> Finding | Again:
    """Read the conversation back if that is due. Returns Again if it is too early, or if another read-back must follow.

    Read-backs are scheduled from `since_ms`; the message may be as old as `back_to_ms`, if that is earlier, and come until
    `until_ms`. Raises Retryable if GHL can't be read, and OutcomeUnknown if the conversation is not known.
    """
    wait = _wait(case, services, case.looks, since_ms)
    if wait:
        return Again(wait=wait, why="waiting to read the conversation back", counts=False, looks=case.looks)
    if not case.last.conversation_id:
        raise OutcomeUnknown(f"the conversation of {case.turn.lane} is not known, so it can't be read back")
    finding, lag = _read(case, services, back_to_ms or since_ms, find)
    if isinstance(finding, Present):
        return finding
    # A late look, for example after an outage, replaces those that were due meanwhile.
    done, following = case.looks + 1, _wait(case, services, case.looks + 1, since_ms)
    while following == 0:
        done, following = done + 1, _wait(case, services, done + 1, since_ms)
    if following is not None:
        return Again(wait=following, why="not in the conversation yet", counts=False, looks=done)
    left = (until_ms - case.turn.now_ms(services.clock())) / 1000
    if left > 0:
        return Again(wait=left, why="not in the conversation yet, and it may still be sent", counts=False, looks=case.looks)
    doubtful = _doubt(case, lag, since_ms, services) if isinstance(finding, Absent) else finding
    return doubtful or _look_elsewhere(case, services, back_to_ms or since_ms, find)


def _doubt(case: Case, lag: ListLag, since_ms: int, services: AnswerServices) -> Unproven | Again | None:
    """Return Again if GHL's list may be late, so that a missing message doesn't count as absent yet."""
    doubtful = doubt(case, lag, since_ms, services)
    if isinstance(doubtful, Unproven):
        return doubtful
    if doubtful:
        return Again(wait=doubtful, why="not in the conversation, and GHL lists late", counts=False, looks=case.looks)
    return None


def _look_elsewhere(case: Case, services: AnswerServices, since_ms: int, find: Find) -> Finding:
    """Read the contact's other conversations before the message counts as absent: GHL may have stored it there."""
    lane = case.turn.lane
    known = services.ghl.conversations(lane.location_id, contact_id=lane.contact_id, token=case.token, seconds=READ_SECONDS)
    # The difference of the clocks at the answer, see `read_window`.
    since = since_ms - SLACK_MS + (known.at_ms - case.now_ms(services) if known.at_ms else 0)
    others = [
        one.conversation_id
        for one in known.found
        if one.contact_id == lane.contact_id and one.conversation_id != case.last.conversation_id and one.last_ms >= since
    ]
    if len(others) > MOST_OTHERS:
        return Unproven(f"the contact has {len(others)} other conversations that were written in since the attempt")
    for conversation in others:
        now_ms = case.now_ms(services)
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
    return found, note_lag(case, window.read, services, more=window.more, ahead_ms=window.ahead_ms)


def _wait(case: Case, services: AnswerServices, looks: int, since_ms: int) -> float | None:
    """Seconds until this read-back is due; None if there are no more, 0 if the last one is due now."""
    now_ms = case.turn.now_ms(services.clock())
    return wait_before_look(looks=looks, since_ms=since_ms, now_ms=now_ms, readback=services.readback)


def settle_claim(case: Case, completion: Completion, services: AnswerServices) -> Ended | Again | None:
    """Search for a reply that the provider claims to have delivered. Raises Permanent."""
    if not completion.claims_delivery or delivery(case.kept.location, completion) != "auto" or "0" in case.turn.ledger:
        return None
    since, asked = case.turn.answered_at_ms or case.turn.leased_at_ms, case.turn.ledger.get(ASK)
    # It may have delivered long before its answer arrived.
    back_to = asked.at_ms if asked else since
    found = _look_for(case, completion.delivered_as, completion.claimed_message_id, since, services, back_to_ms=back_to)
    return delivered_by_provider(case, completion, found.message_ids) if isinstance(found, Sent) else found


def delivered_by_provider(case: Case, completion: Completion, ids: Sequence[MessageId]) -> Ended:
    """The end of a turn whose reply the provider delivered under these ids."""
    return replace(case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=ids), said=completion.text)


def settle_part(case: Case, posting: Posting, services: AnswerServices) -> Sent | Again | None:
    """Find out whether an earlier attempt posted a part. Returns None if it is not in GHL. Raises Permanent."""
    entry = case.turn.ledger.get(posting.part)
    if entry is None or entry.state is SendState.NOT_SENT:
        return None
    if entry.state is SendState.SENT:
        _remember(case, posting, entry, services)
        return Sent(message_ids=entry.message_ids)
    found = _look_for(case, posting.text, "", entry.at_ms, services)
    if isinstance(found, Sent):
        case.breaker.passed("posts")
        services.lanes.sent(case.turn, posted(case, posting, found, services, how="found in the conversation"))
    return found


def _remember(case: Case, posting: Posting, entry: LedgerEntry, services: AnswerServices) -> None:
    """Add a part that GHL reported before its worker recorded it to the transcript."""
    if case.kept.location.mode != "draft":
        message = PastMessage(
            "assistant", posting.said, id=entry_id(case.turn, posting.part, entry.message_ids), at_ms=entry.at_ms
        )
        services.standings.remember(case.turn.lane, [message], token=case.turn.token)


def _look_for(
    case: Case, text: str, claimed: str, since_ms: int, services: AnswerServices, *, back_to_ms: int = 0
) -> Sent | Again | None:
    """Search the conversation for a text or an id. Returns None if it is proven absent. Raises Permanent."""
    finding = look(
        case,
        services,
        since_ms=since_ms,
        back_to_ms=back_to_ms,
        find=lambda window, ours: find_post(window, text=text, claimed=claimed, ours=ours),
    )
    match finding:
        case Again():
            return finding
        case Unproven(why=why):
            raise Permanent(f"outcome unknown: {why}", outcome_unknown=True)
        case Present(id=found):
            return Sent(message_ids=(found,))
    if case.turn.attempts > len(services.retry_delays):
        why = "outcome unknown at the last attempt; it is not in the conversation, and no attempt is left"
        raise Permanent(why, outcome_unknown=True)
    return None


def claimed(completion: Completion) -> Sequence[MessageId]:
    """The message id that the provider claims to have delivered, if any."""
    return [MessageId(completion.claimed_message_id)] if completion.claimed_message_id else []


def is_comment(case: Case, posting: Posting) -> bool:
    """Whether only staff see a part."""
    return posting.for_staff or case.kept.location.mode == "draft"


def posted(case: Case, posting: Posting, sent: Sent, services: AnswerServices, *, how: str) -> Posted:
    """The record of a part that is in GHL. The text of a draft is not added to the transcript."""
    comment = is_comment(case, posting)
    return Posted(
        posting=replace(posting, said="") if comment else posting,
        message_ids=sent.message_ids,
        at_ms=case.now_ms(services),
        how=how,
        channel="" if comment else case.last.channel,
        status=sent.status,
    )
