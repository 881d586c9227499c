"""Bring an answer into the conversation: once, or with the knowledge that it can't be known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.case import delivery, heard_of_delivery, may_be_there, tried
from bridge.answering.guarding import guard_anew, may_write
from bridge.answering.send_check import LastWord, Stale
from bridge.answering.unknown_sends import look
from bridge.errors import Overtaken, Permanent, Retryable, There
from bridge.ghl import messages
from bridge.model import Again, Channel, MessageId, Posted, Posting, Reason, Said, SendState, Sent, Skip, Status
from bridge.policy.formatting import Shaped, carried_as, shape
from bridge.policy.unknown_sends import Found, Unproven, find_post
from bridge.store.lanes.steps import ASK, words_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bridge.answering.case import Case
    from bridge.answering.services import Desk
    from bridge.model import Completion, Ended, LedgerEntry, Reply

    Guard = Callable[[Case, Desk], Skip | Again | None]

STALE = Again(wait=0, why="a newer message made the answer stale", counts=False, stale=True)
HEARD = Again(wait=0, why="GHL told of it before it was posted", counts=False)


def deliver(case: Case, completion: Completion, desk: Desk) -> Ended | Again:
    """Post the answer part by part, unless it is there already, or somebody else's to deliver, or a guard speaks against it.

    Raises Retryable and Permanent (a part is not in GHL), OutcomeUnknown (it may be) and Fenced.
    """
    if not completion.text:
        return case.ended(Status.NO_REPLY, Skip(completion.why_silent or Reason.EMPTY))
    heard = heard_of_delivery(case.turn)
    if heard or delivery(case.kept.location, completion) == "provider":
        return _delivered(case, completion, heard or _claimed(completion))
    settled = _settle_claim(case, completion, desk)
    return settled or _post_all(case, completion, desk)


def say(case: Case, name: str, text: str, desk: Desk, *, guard: Guard = guard_anew) -> Again | Skip | None:
    """Post a text of the location's own, as parts called `name`, unless a guard speaks against it. Raises as `deliver`.

    What an earlier try of the turn has posted, or may have, is not said again.
    """
    shaped = shape(text, carried_as(case.last), sms_max_segments=case.kept.location.sms_max_segments)
    for posting in _postings(name, shaped, said=text if case.last.channel is Channel.EMAIL else ""):
        if may_be_there(case.turn, posting.part):
            continue
        outcome = guard(case, desk) or _post(case, posting, desk, guard)
        if not isinstance(outcome, Sent):
            return outcome
    return None


def _post_all(case: Case, completion: Completion, desk: Desk) -> Ended | Again:
    sent: list[Sent] = []
    for posting in _parts(case, completion):
        # Half an answer helps nobody: what was begun is not cut off by closing time.
        guard = may_write if sent else guard_anew
        outcome = _settle_part(case, posting, desk) or guard(case, desk) or _post(case, posting, desk, guard)
        match outcome:
            case Again():
                return outcome
            case Skip():
                return case.ended(Status.REPLIED if sent else Status.SKIPPED, outcome, _ids(sent))
            case Sent():
                sent.append(outcome)
    if not case.parts:
        # Nothing of the answer is left once it is shaped for the channel.
        return case.ended(Status.NO_REPLY, Skip(Reason.EMPTY))
    return case.ended(Status.REPLIED, reply_ids=_ids(sent))


def _ids(sent: Iterable[Sent]) -> list[MessageId]:
    return [id_ for one in sent for id_ in one.message_ids]


def _parts(case: Case, completion: Completion) -> Iterator[Posting]:
    """The answer's parts: once one of them was tried, they are what they were then, whatever the settings are now."""
    if case.turn.parts and tried(case.turn):
        shaped = Shaped(parts=case.turn.parts)
    elif case.kept.location.mode == "draft":
        shaped = Shaped(parts=(completion.text,))
    else:
        shaped = shape(completion.text, carried_as(case.last), sms_max_segments=case.kept.location.sms_max_segments)
    case.parts = shaped.parts
    for posting in _postings("", shaped, said=completion.text if case.last.channel is Channel.EMAIL else ""):
        yield replace(posting, unless_stale=posting.part == "0")


def _postings(name: str, shaped: Shaped, *, said: str) -> Iterator[Posting]:
    """One posting a part. `said` is what it says in plain words, where the part itself is HTML.

    Only the last part of an answer is `last`: a text of the location's own answers nothing.
    """
    for number, text in enumerate(shaped.parts):
        part = f"{name}{number or ''}" if name else str(number)
        yield Posting(
            part=part,
            text=text,
            said=said or text,
            last=not name and number == len(shaped.parts) - 1,
            shortened=shaped.shortened,
            parts=() if name else shaped.parts,
        )


def _post(case: Case, posting: Posting, desk: Desk, guard: Guard) -> Sent | Skip | Again:
    """Post one part; if somebody spoke since the guards were asked, they are asked again."""
    while True:
        try:
            return _write(case, posting, desk)
        except Overtaken:
            forbidden = guard(case, desk)
            if forbidden:
                return forbidden
        except There:
            return HEARD
        except Stale:
            return STALE


def _write(case: Case, posting: Posting, desk: Desk) -> Sent | Skip:
    """Post one part, noted in the ledger before and after; of the answer's last part the turn's end takes note."""
    reply = messages.build(case.last, posting.text, draft=case.kept.location.mode == "draft")
    case.looks = 0
    with desk.heartbeat.posting(case.turn):
        outcome = _send(case, posting, reply, desk)
        if isinstance(outcome, Sent):
            posted = _posted(case, posting, outcome, desk, how="posted")
            if posting.last:
                case.posted = posted
                desk.heartbeat.posted(case.turn)
            else:
                desk.lanes.sent(case.turn, posted)
        return outcome


def _posted(case: Case, posting: Posting, sent: Sent, desk: Desk, *, how: str) -> Posted:
    """What is noted of a part that is in GHL; the words of a draft are none that the contact has heard."""
    told = replace(posting, said="") if case.kept.location.mode == "draft" else posting
    return Posted(posting=told, message_ids=sent.message_ids, at_ms=case.now_ms(desk), how=how)


def _send(case: Case, posting: Posting, reply: Reply, desk: Desk) -> Sent | Skip:
    last_word = LastWord(case, posting, reply.type, desk)
    try:
        outcome = desk.ghl.post(reply, token=case.token, seconds=desk.post_seconds, before_send=last_word)
    except (Overtaken, Stale):
        if last_word.given:
            last_word.take_back()
        raise
    except (Retryable, Permanent):
        # Given or not: a claim of delivery that was looked for is settled by it.
        last_word.take_back()
        raise
    if isinstance(outcome, Skip):
        last_word.take_back()
    return outcome


def _settle_claim(case: Case, completion: Completion, desk: Desk) -> Ended | Again | None:
    """Look for a reply that the provider says it delivered. Raises Permanent."""
    if not completion.claims_delivery or delivery(case.kept.location, completion) != "auto" or "0" in case.turn.ledger:
        return None
    since, asked = case.turn.answered_at_ms or case.turn.leased_at_ms, case.turn.ledger.get(ASK)
    # It may have delivered well before its answer came.
    back_to = asked.at_ms if asked else since
    found = _look_for(case, completion.delivered_as, completion.claimed_message_id, since, desk, back_to_ms=back_to)
    return _delivered(case, completion, found.message_ids) if isinstance(found, Sent) else found


def _delivered(case: Case, completion: Completion, ids: Sequence[MessageId]) -> Ended:
    return replace(case.ended(Status.DELIVERED_BY_PROVIDER, reply_ids=ids), said=completion.text)


def _settle_part(case: Case, posting: Posting, desk: Desk) -> Sent | Again | None:
    """What is known of a part that an earlier try may have posted; None: it is not in GHL. Raises Permanent."""
    entry = case.turn.ledger.get(posting.part)
    if entry is None or entry.state is SendState.NOT_SENT:
        return None
    if entry.state is SendState.SENT:
        _remember(case, posting, entry, desk)
        return Sent(message_ids=entry.message_ids)
    found = _look_for(case, posting.text, "", entry.at_ms, desk)
    if isinstance(found, Sent):
        desk.lanes.sent(case.turn, _posted(case, posting, found, desk, how="found in the conversation"))
    return found


def _remember(case: Case, posting: Posting, entry: LedgerEntry, desk: Desk) -> None:
    """A part that GHL told of before its worker could has its words on record too."""
    if case.kept.location.mode != "draft":
        said = Said("assistant", posting.said, id=words_id(case.turn, posting.part, entry.message_ids), at_ms=entry.at_ms)
        desk.standings.remember(case.turn.lane, [said], token=case.turn.token)


def _look_for(case: Case, text: str, claimed: str, since_ms: int, desk: Desk, *, back_to_ms: int = 0) -> Sent | Again | None:
    """Read the conversation back for a text or an id; None: proven not to be there. Raises Permanent."""
    finding = look(
        case,
        desk,
        since_ms=since_ms,
        back_to_ms=back_to_ms,
        find=lambda window, ours: find_post(window, text=text, claimed=claimed, ours=ours),
    )
    match finding:
        case Again():
            return finding
        case Unproven(why=why):
            raise Permanent(f"outcome unknown: {why}", outcome_unknown=True)
        case Found(id=found):
            return Sent(message_ids=(found,))
    if case.turn.attempts > len(desk.retry_delays):
        why = "outcome unknown at the last try; it is not in the conversation, and no try is left"
        raise Permanent(why, outcome_unknown=True)
    return None


def _claimed(completion: Completion) -> Sequence[MessageId]:
    return [MessageId(completion.claimed_message_id)] if completion.claimed_message_id else []
