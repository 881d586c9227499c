"""What was said before a turn, for providers that keep no memory of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bridge.answering.case import READ_SECONDS
from bridge.errors import BridgeError, Fenced, Unavailable
from bridge.policy import transcript
from bridge.store.lanes.schedule import MOST_SAID
from bridge.store.lanes.transcripts import cut

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import PastMessage

log = structlog.get_logger()

# One page of GHL's list: what is further back, a provider hardly needs.
MOST_TOPPED_UP = 50


def history(case: Case, services: AnswerServices) -> tuple[PastMessage, ...]:
    """The conversation's earlier messages, oldest first, at most `history_messages`: from the record, once topped up from GHL.

    What GHL can't tell now is done without: an answer that knows less is better than none.
    """
    count = case.kept.location.history_messages
    if not count:
        return ()
    said = _record(case, count, services)
    lacks = len(said) < min(count, MOST_TOPPED_UP) and case.last.conversation_id
    if lacks and not case.turn.topped and case.listed is None:
        case.listed = _list(case, services)
        said = _record(case, count, services)
    return transcript.as_told(said, files=case.kept.location.media != "ignore")


def _record(case: Case, count: int, services: AnswerServices) -> tuple[PastMessage, ...]:
    """What is on record, and will be; it is read if the turn doesn't know enough of it."""
    asked = {message.id for message in (*case.turn.messages, *case.turn.carried)}
    said, most = case.turn.said, count + len(asked)
    if MOST_SAID <= len(said) < most:
        said = services.standings.said(case.turn.lane, most)
    return transcript.earlier((*(case.listed or ()), *said), asked=asked, count=count)


def _list(case: Case, services: AnswerServices) -> tuple[PastMessage, ...] | None:
    """What GHL lists, oldest first, as the record keeps it; None if it can't tell now."""
    turn = case.turn
    try:
        page = services.ghl.page(case.last.conversation_id, token=case.token, seconds=READ_SECONDS)
    except (Fenced, Unavailable):
        raise
    except BridgeError as error:
        log.warning("turn.not_done", what="history", lane=str(turn.lane), turn=turn.id, error=str(error))
        return None
    # GHL lists the newest first; those of one moment stay in their order.
    return tuple(replace(one, content=cut(one.content)) for one in transcript.read_back(reversed(page.listed)))
