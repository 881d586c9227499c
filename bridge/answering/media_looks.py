"""Reads content that a webhook lacks from GHL: WhatsApp's media webhooks have neither text nor file, but GHL has them later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.answering.case import READ_SECONDS
from bridge.answering.resolving import Resolved
from bridge.errors import BudgetExhausted, OperatorMustFix, Permanent, Retryable
from bridge.model import Again, Channel, Ended, Reason, Skip, Status
from bridge.policy import guards, media
from bridge.policy.stop_words import stops

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.ghl.messages import Content
    from bridge.model import InboundMessage

NOTHING_CAME = Skip(Reason.BLANK, "GHL gave neither text nor file")


@dataclass(frozen=True, slots=True)
class _Look:
    """An empty message, its content in GHL (None: nothing yet), and the wait until the next read (s; None: no further read)."""

    message: InboundMessage
    content: Content | None
    again: float | None


def look_for_files(case: Case, services: AnswerServices) -> Resolved | Again | Ended | None:
    """Read the content of empty messages from GHL, or wait for it. Returns None if no message of the turn is empty.

    Raises what reading GHL raises, unless another read follows.
    """
    location = case.kept.location
    empty = () if case.completion else tuple(one for one in case.messages if guards.may_have_files(one, location))
    if not empty:
        return None
    standing = case.turn.situation.standing
    if forbidden := guards.judge_standing(standing, case.last.channel, location, now_ms=case.now_ms(services)):
        return case.ended(Status.SKIPPED, forbidden)
    arrivals = services.identities.arrivals(case.turn.lane, [one.id for one in empty])
    looks = [_look(case, one, arrivals[one.id], services) for one in empty]
    found = [each for each in looks if each.content]
    for each in found:
        _keep(case, each, services)
    waits = [each.again for each in looks if each.again is not None and not each.content]
    if waits and not found:
        why = "the message has neither text nor file: they are read from GHL"
        seen = case.turn.waiting - case.skipped
        return Again(wait=min(waits), why=why, counts=False, looks=case.turn.looks, status=Status.WAITING, until_newer=seen)
    gone = tuple(each.message.id for each in looks if not each.content and each.again is None)
    if gone:
        facts = NOTHING_CAME.facts
        services.lanes.skip(case.turn, Ended(status=Status.SKIPPED, message_ids=gone, reason=NOTHING_CAME.reason, facts=facts))
    return Resolved()


def _look(case: Case, message: InboundMessage, came_ms: int, services: AnswerServices) -> _Look:
    now_ms = case.now_ms(services)
    again = None if _is_overtaken(case, message) else media.next_look(message.channel, came_ms, now_ms)
    if again is not None and not media.may_look(message.channel, came_ms, now_ms):
        return _Look(message, None, again)
    try:
        content = services.ghl.content(message.id, token=case.token, seconds=READ_SECONDS)
    except BudgetExhausted:
        raise
    except Permanent as error:  # GHL doesn't know it, or not yet
        if isinstance(error, OperatorMustFix) and message.channel is Channel.WHATSAPP:
            raise  # there is always content there
        content = None
    except Retryable:
        if again is None:
            raise
        content = None
    holds = content is not None and (content.attachments or _text(message, content))
    return _Look(message, content if holds else None, again)


def _is_overtaken(case: Case, message: InboundMessage) -> bool:
    """Whether the contact has written since; a newer message must not wait."""
    ids = [one.id for one in case.turn.messages]
    return any(one.text.strip() for one in case.turn.messages[ids.index(message.id) + 1 :])


def _text(message: InboundMessage, content: Content) -> str:
    """The message's text. For an e-mail it is the webhook's, because GHL's is HTML with the history."""
    return "" if message.channel is Channel.EMAIL else content.text.strip()


def _keep(case: Case, look: _Look, services: AnswerServices) -> None:
    message, content = look.message, look.content
    if content is None:
        return
    known = replace(message, text=_text(message, content), attachments=content.attachments)
    kinds = [each.kind for each in media.attachments_of(known)]
    holds = media.counted(kinds) or "its text"
    event = {"step": "resolved", "message_id": known.id, "how": f"read from GHL: {holds}", "files": kinds}
    services.lanes.know(case.turn, [known], event=event)
    if stops(known.text, known.channel, case.kept.location.stop_words):
        stop_event = {"step": "stopped", "message_id": known.id, "channel": known.channel, "how": "by the text in GHL"}
        services.lanes.stop(case.turn, known.channel, at_ms=known.date_added_ms or case.now_ms(services), event=stop_event)
