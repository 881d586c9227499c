"""Post an answer to the conversation exactly once, or report that its outcome is unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.case import delivery, may_be_there, reported_delivery, tried
from bridge.answering.guarding import guard_again, guard_except_hours
from bridge.answering.read_back import claimed, delivered_by_provider, is_comment, posted, settle_claim, settle_part
from bridge.answering.send_check import SendCheck, Stale
from bridge.answering.shaping import shaped_for, texts_of
from bridge.errors import AlreadySent, NotConfirmed, OperatorMustFix, OutOfResources, Permanent, Retryable, StandingChanged
from bridge.ghl import messages
from bridge.ghl.channels import advice_if_refused
from bridge.model import Again, Channel, MessageId, Posting, Reason, Sent, Skip, Status
from bridge.policy.formatting import Shaped, carried_as, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Completion, Ended, Reply

    Guard = Callable[[Case, AnswerServices], Skip | Again | None]

STALE = Again(wait=0, why="a newer message arrived, so the answer is outdated", counts=False, stale=True)
HEARD = Again(wait=0, why="GHL reported it before it was posted", counts=False)


def deliver(case: Case, completion: Completion, services: AnswerServices) -> Ended | Again:
    """Post the answer part by part, unless it is already in GHL, the provider delivers it, or a guard prevents it.

    Raises Retryable and Permanent (a part is not in GHL), OutcomeUnknown (it may be) and Fenced.
    """
    if not completion.text:
        silent = case.ended(Status.NO_REPLY, Skip(completion.why_silent or Reason.EMPTY))
        return _post_all(case, completion, services) if texts_of(completion, case.kept.location) else silent
    delivered_ids = reported_delivery(case.turn)
    if delivered_ids or delivery(case.kept.location, completion) == "provider":
        return delivered_by_provider(case, completion, delivered_ids or claimed(completion))
    settled = settle_claim(case, completion, services)
    return settled or _post_all(case, completion, services)


def say(
    case: Case, name: str, text: str, services: AnswerServices, *, guard: Guard = guard_again, for_staff: bool = False
) -> Again | Skip | None:
    """Post one of the location's own texts, as parts called `name`, unless a guard prevents it. Raises as `deliver`.

    Parts that an earlier attempt of the turn posted, or may have posted, are not posted again. `for_staff`: as an internal
    comment.
    """
    channel = carried_as(case.last)
    shaped = Shaped(parts=(text,)) if for_staff else shape(text, channel, sms_max_segments=case.kept.location.sms_max_segments)
    for planned in _postings(name, shaped, said=text if case.last.channel is Channel.EMAIL else ""):
        posting = replace(planned, for_staff=for_staff)
        if may_be_there(case.turn, posting.part):
            continue
        outcome = guard(case, services) or _post(case, posting, services, guard)
        if not isinstance(outcome, Sent):
            return outcome
    return None


def _post_all(case: Case, completion: Completion, services: AnswerServices) -> Ended | Again:
    sent: list[Sent] = []
    for posting in parts_of(case, completion):
        # Half an answer is useless: if a part was posted, closing time does not stop the rest.
        guard = guard_except_hours if sent else guard_again
        outcome = settle_part(case, posting, services) or guard(case, services) or _post(case, posting, services, guard)
        match outcome:
            case Again():
                return outcome
            case Skip():
                return case.ended(Status.REPLIED if sent else Status.SKIPPED, outcome, _ids(sent))
            case Sent():
                sent.append(outcome)
    if not case.parts:
        # The answer is empty after formatting for the channel.
        return case.ended(Status.NO_REPLY, Skip(Reason.EMPTY))
    return case.ended(Status.REPLIED, reply_ids=_ids(sent))


def _ids(sent: Iterable[Sent]) -> list[MessageId]:
    return [id_ for one in sent for id_ in one.message_ids]


def parts_of(case: Case, completion: Completion) -> Iterator[Posting]:
    """The answer's parts. Once one of them was tried, they don't change any more, even if the settings do."""
    texts = texts_of(completion, case.kept.location)
    begun = case.turn.parts and tried(case.turn)
    shaped = Shaped(parts=case.turn.parts) if begun else shaped_for(case, texts)
    case.parts = shaped.parts
    for posting in _postings("", shaped, said="\n\n".join(texts) if case.last.channel is Channel.EMAIL else ""):
        yield replace(posting, unless_stale=posting.part == "0")


def _postings(name: str, shaped: Shaped, *, said: str) -> Iterator[Posting]:
    """One `Posting` per part.

    `said` are the plain texts of parts that are HTML. Only the last part of an answer is `last`, never one of the location's own
    texts.
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


def _post(case: Case, posting: Posting, services: AnswerServices, guard: Guard) -> Sent | Skip | Again:
    """Post one part. If the standing changed since the guards were checked, check them again first."""
    while True:
        try:
            return _write(case, posting, services)
        except StandingChanged:
            forbidden = guard(case, services)
            if forbidden:
                return forbidden
        except AlreadySent:
            return HEARD
        except Stale:
            return STALE


def _write(case: Case, posting: Posting, services: AnswerServices) -> Sent | Skip:
    """Post one part, with a ledger entry before and after. The end of the turn records the answer's last part."""
    reply = messages.build(case.last, posting.text, draft=is_comment(case, posting))
    case.looks = 0
    with services.heartbeat.posting(case.turn):
        outcome = _send(case, posting, reply, services)
        if isinstance(outcome, Sent):
            record = posted(case, posting, outcome, services, how="posted")
            if posting.last:
                case.posted = record
                services.heartbeat.posted(case.turn)
            else:
                services.lanes.sent(case.turn, record)
        return outcome


def _send(case: Case, posting: Posting, reply: Reply, services: AnswerServices) -> Sent | Skip:
    send_check = SendCheck(case, posting, reply.type, services)
    try:
        outcome = services.ghl.post(
            reply,
            token=case.token,
            seconds=services.post_seconds,
            before_send=send_check,
            before_connect=send_check.connecting,
            on_refused=send_check.refused,
        )
    except (StandingChanged, Stale):
        if send_check.given:
            send_check.take_back()
        raise
    except (Retryable, Permanent, OutOfResources, NotConfirmed) as error:
        # In either case a claimed delivery that was searched for is resolved.
        send_check.take_back()
        advice = advice_if_refused(case.last)
        if advice and isinstance(error, Permanent) and not isinstance(error, OperatorMustFix):
            error.args = (f"{error}; {advice}",)
        raise
    if isinstance(outcome, Skip):
        send_check.take_back()
    return outcome
