"""The earlier messages of a conversation, for providers that keep no history."""

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

# One page of GHL's list; a provider hardly needs older messages.
MOST_TOPPED_UP = 50


def history(case: Case, services: AnswerServices) -> tuple[PastMessage, ...]:
    """The conversation's earlier messages, oldest first, at most `history_messages`: the transcript, after a backfill from GHL.

    If GHL can't be read, the messages of the transcript are used: an answer with less history is better than none.
    """
    count = case.kept.location.history_messages
    if not count:
        return ()
    messages = _record(case, count, services)
    lacks = len(messages) < min(count, MOST_TOPPED_UP) and case.last.conversation_id
    if lacks and not case.turn.backfilled and case.listed is None:
        case.listed = _list(case, services)
        messages = _record(case, count, services)
    return transcript.as_told(messages, files=case.kept.location.media != "ignore")


def _record(case: Case, count: int, services: AnswerServices) -> tuple[PastMessage, ...]:
    """The transcript, read from Redis if the turn contains too few of its messages."""
    asked = {message.id for message in (*case.turn.messages, *case.turn.carried)}
    messages, most = case.turn.said, count + len(asked)
    if MOST_SAID <= len(messages) < most:
        messages = services.standings.said(case.turn.lane, most)
    return transcript.earlier((*(case.listed or ()), *messages), asked=asked, count=count)


def _list(case: Case, services: AnswerServices) -> tuple[PastMessage, ...] | None:
    """GHL's list, oldest first, in the form of the transcript; None if GHL can't be read."""
    turn = case.turn
    try:
        page = services.ghl.page(case.last.conversation_id, token=case.token, seconds=READ_SECONDS)
    except (Fenced, Unavailable):
        raise
    except BridgeError as error:
        log.warning("turn.not_done", what="history", lane=str(turn.lane), turn=turn.id, error=str(error))
        return None
    # GHL lists the newest first; messages with the same time keep their order.
    return tuple(replace(one, content=cut(one.content)) for one in transcript.read_back(reversed(page.listed)))
