"""GHL's own bot beside this one: its messages don't count as a person's, and one after the contact's message ends the turn.

GHL's events don't say who wrote a message (`policy.authors`), but `generations` may. It is read only for messages that would
otherwise count as a person's. Without the scope, or without an answer, the message counts as a person's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bridge.answering.case import READ_SECONDS
from bridge.errors import BridgeError, Fenced, OperatorMustFix, Unavailable
from bridge.ghl.conversation_ai import wrote
from bridge.model import MessageId, Reason, Skip
from bridge.policy.authors import Author, author
from bridge.policy.takeover import judge_takeover
from bridge.times import utc

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Listed

log = structlog.get_logger()

# How many messages of a conversation are checked at once.
MOST_ASKED = 10


def judge_author(case: Case, skip: Skip | None, services: AnswerServices) -> Skip | None:
    """The guards' decision (`skip`) once it is known whether a person wrote, or GHL's bot."""
    standing, location, now = case.standing, case.kept.location, case.now_ms(services)
    id_, at = MessageId(standing.human_id), standing.human_at_ms
    if not id_ or standing.called or location.mode == "draft":
        return skip
    newer = at > case.last.date_added_ms > 0
    without = judge_takeover(replace(standing, human_at_ms=0, human_id=""), location, now)
    taken_over = skip is not None and skip.reason is Reason.HUMAN_TAKEOVER and without is None
    if not (taken_over or (skip is None and newer)) or not _by_bot(case, id_, services):
        return skip
    if newer:
        return Skip(Reason.OTHER_BOT, f"GHL's own bot wrote {id_} at {utc(at)}, after the contact's message")
    return skip if _person_wrote(case, since_ms=_since(case, now), services=services) else None


def _since(case: Case, now_ms: int) -> int:
    """The time from which on a person's message is a takeover."""
    seconds = case.kept.location.takeover_seconds
    return max(case.standing.resumed_at_ms, 0 if seconds < 0 else round(now_ms - seconds * 1000))


def _person_wrote(case: Case, *, since_ms: int, services: AnswerServices) -> bool:
    """Whether anybody but the bot wrote, by GHL's list. A list that is unreadable or too long counts as a person's message."""
    try:
        page = services.ghl.page(case.last.conversation_id, token=case.token, seconds=READ_SECONDS)
    except (Fenced, Unavailable):
        raise
    except BridgeError as error:
        log.info("other_bot.unread", lane=str(case.turn.lane), why=str(error))
        return True
    if page.next_after and page.listed and page.listed[-1].date_added_ms >= since_ms:
        return True
    rows = [row for row in page.listed if row.date_added_ms >= since_ms and _may_be_a_person(row)]
    ours = services.lanes.ours(case.turn.lane, [row.id for row in rows])
    theirs = [row for row in rows if row.id not in ours]
    return len(theirs) > MOST_ASKED or not all(_by_bot(case, row.id, services) for row in theirs)


def _may_be_a_person(row: Listed) -> bool:
    by = author(type_=row.type, source=row.source, call_seconds=row.call_seconds)
    return row.direction == "outbound" and by is Author.PERSON


def _by_bot(case: Case, id_: MessageId, services: AnswerServices) -> bool:
    """Whether GHL's bot wrote a message; GHL is asked once per message."""
    lane, generations = case.turn.lane, services.generations
    known = generations.known(lane, id_)
    if known is not None or not generations.askable(lane.location_id):
        return bool(known)
    try:
        by_bot = wrote(services.ghl, id_, token=case.token, seconds=READ_SECONDS)
    except (Fenced, Unavailable):
        raise
    except OperatorMustFix:
        generations.refused(lane.location_id)
        return False
    except BridgeError as error:
        log.info("other_bot.unknown", lane=str(lane), message_id=id_, why=str(error))
        return False
    generations.put(lane, id_, by_bot=by_bot)
    return by_bot
