"""Finds the GHL message that a workflow webhook describes, before a provider is asked about it.

A message without GHL's id may have arrived before, as a marketplace event or from another workflow, and may arrive again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.answering.case import READ_SECONDS
from bridge.ghl.email.own_words import own_text
from bridge.ghl.workflow import adopt
from bridge.model import Again, Channel
from bridge.policy.resolving import find, is_settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import ConversationId, InboundMessage, Listed, MessageId

LOOK_AGAIN_SECONDS = 2.0
NOT_LISTED = Again(wait=LOOK_AGAIN_SECONDS, why="GHL doesn't list the message of the webhook yet", counts=False)
# GHL lists e-mails without their text, so this many of the newest are read separately.
MOST_EMAILS = 5


@dataclass(frozen=True, slots=True)
class Resolved:
    """The lane was changed after the turn was read: its messages, or what is known of the answer's delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """GHL's list of a conversation; `ahead_ms` is how far GHL's clock is ahead of Redis' (None: unknown)."""

    conversation_id: ConversationId
    listed: tuple[Listed, ...] = ()
    ahead_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """GHL's row for a message, if there is one, and whether to wait for another read."""

    message: InboundMessage
    came_ms: int
    listed: Listed | None
    settled: bool


def resolve(case: Case, services: AnswerServices) -> Resolved | Again | None:
    """Find missing ids and conversations of the turn's messages. Returns None if none is missing.

    Raises Retryable, Permanent and OperatorMustFix if GHL can't be read.
    """
    lacking = [message for message in case.turn.messages if message.provisional or not message.conversation_id]
    if not lacking:
        return None
    view = _look(case, lacking, services)
    findings = _compare(case, lacking, view, services)
    if any(not finding.settled and finding.message.id in case.ids for finding in findings):
        return replace(NOT_LISTED, looks=case.turn.looks)
    changes = [_settle(case, finding, view, services) for finding in findings if finding.settled]
    return Resolved() if any(changes) else None


def resolve_joined(case: Case, services: AnswerServices) -> bool:
    """Resolve messages without an id that joined the turn. Returns False if there are none.

    Duplicates end here; messages that GHL doesn't list yet do not make an answer outdated. Raises as `resolve`.
    """
    joined = services.identities.undecided(case.turn.lane, seen=case.turn.waiting - case.skipped)
    if not joined:
        return False
    view = _look(case, joined, services)
    for finding in _compare(case, joined, view, services):
        if finding.settled:
            _settle(case, finding, view, services)
        else:
            services.identities.set_aside(case.turn, finding.message)
    return True


def _look(case: Case, lacking: Sequence[InboundMessage], services: AnswerServices) -> _View:
    end = time.monotonic() + READ_SECONDS
    lane, token = case.turn.lane, case.token
    conversation = next((one.conversation_id for one in (*lacking, *case.turn.messages) if one.conversation_id), None)
    if not conversation:
        conversation = services.ghl.find_conversation(lane.location_id, lane.contact_id, token=token, seconds=READ_SECONDS)
    if not conversation or not any(message.provisional for message in lacking):
        return _View(conversation_id=conversation)
    page = services.ghl.page(conversation, token=token, seconds=end - time.monotonic())
    ahead = page.at_ms - case.turn.now_ms(services.clock()) if page.at_ms else None
    emails = any(message.channel is Channel.EMAIL for message in lacking)
    listed = _with_texts(page.listed, case, services, end) if emails else page.listed
    return _View(conversation_id=conversation, listed=listed, ahead_ms=ahead)


def _with_texts(listed: Sequence[Listed], case: Case, services: AnswerServices, end: float) -> tuple[Listed, ...]:
    """The rows with only their senders' new text, because a webhook's text has no quoted history either."""
    mails = [one for one in listed if one.direction == "inbound" and not one.text][:MOST_EMAILS]
    texts = {one.id: own_text(services.ghl.text(one.id, token=case.token, seconds=end - time.monotonic())) for one in mails}
    return tuple(replace(one, text=texts.get(one.id, one.text)) for one in listed)


def _compare(case: Case, lacking: Sequence[InboundMessage], view: _View, services: AnswerServices) -> list[_Finding]:
    arrivals = services.identities.arrivals(case.turn.lane, [message.id for message in lacking])
    now_ms = case.turn.now_ms(services.clock())
    return [_judge(message, arrivals[message.id], now_ms, view) for message in lacking]


def _judge(message: InboundMessage, came_ms: int, now_ms: int, view: _View) -> _Finding:
    if not message.provisional:
        return _Finding(message=message, came_ms=came_ms, listed=None, settled=_is_found(view, came_ms, now_ms))
    ahead = view.ahead_ms or 0
    listed = find(message, view.listed, came_ms=0 if view.ahead_ms is None else came_ms + ahead)
    settled = is_settled(listed, came_ms=came_ms + ahead, now_ms=now_ms + ahead)
    return _Finding(message=message, came_ms=came_ms, listed=listed, settled=settled)


def _is_found(view: _View, came_ms: int, now_ms: int) -> bool:
    return bool(view.conversation_id) or is_settled(None, came_ms=came_ms, now_ms=now_ms)


def _settle(case: Case, finding: _Finding, view: _View, services: AnswerServices) -> bool:
    """Store the result for a message. Returns False if nothing changed."""
    message = finding.message
    known = replace(message, conversation_id=message.conversation_id or view.conversation_id)
    ids: tuple[MessageId, ...] = ()
    how = "its conversation was looked up"
    if finding.listed:
        known, how = adopt(known, finding.listed), "by its text, the newest of the contact in GHL's list"
        ids = tuple(dict.fromkeys((known.id, finding.listed.id, *finding.listed.email_message_ids)))
    elif message.provisional:
        known, how = (
            replace(known, provisional=False, date_added_ms=finding.came_ms),
            "GHL doesn't list it: it keeps a generated id",
        )
    if known == message:
        return False
    services.identities.settle(case.turn, message, known, ids=ids, event=how)
    return True
