"""What was said before a turn, for providers that keep no memory of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.answering.case import READ_SECONDS
from bridge.errors import BridgeError, Fenced, Unavailable
from bridge.policy import transcript
from bridge.store.lanes import MOST_SAID

if TYPE_CHECKING:
    from bridge.answering.case import Case, Desk
    from bridge.model import Said

log = structlog.get_logger()

# One page of GHL's list: what is further back, a provider hardly needs.
MOST_TOPPED_UP = 50


def history(case: Case, desk: Desk) -> tuple[Said, ...]:
    """The conversation's earlier messages, oldest first, at most `history_messages`: from the record, once topped up from GHL.

    What GHL can't tell now is done without: an answer that knows less is better than none.
    """
    count = case.kept.location.history_messages
    if not count:
        return ()
    said = _record(case, count, desk, known=case.turn.said)
    lacks = len(said) < min(count, MOST_TOPPED_UP) and case.last.conversation_id
    if lacks and desk.standings.begin_top_up(case.turn.lane, token=case.turn.token):
        _top_up(case, desk)
        said = _record(case, count, desk)
    return said


def _record(case: Case, count: int, desk: Desk, *, known: tuple[Said, ...] | None = None) -> tuple[Said, ...]:
    """What is on record; it is read unless enough of it is `known`."""
    asked = {message.id for message in (*case.turn.messages, *case.turn.carried)}
    most = count + len(asked)
    enough = known is not None and (len(known) < MOST_SAID or len(known) >= most)
    said = known if known is not None and enough else desk.standings.said(case.turn.lane, most)
    return transcript.earlier(said, asked=asked, count=count)


def _top_up(case: Case, desk: Desk) -> None:
    try:
        page = desk.ghl.page(case.last.conversation_id, token=case.token, seconds=READ_SECONDS)
    except (Fenced, Unavailable):
        raise
    except BridgeError as error:
        desk.standings.undo_top_up(case.turn.lane)
        log.warning("turn.not_done", what="history", lane=str(case.turn.lane), turn=case.turn.id, error=str(error))
        return
    desk.standings.remember(case.turn.lane, transcript.read_back(page.listed), token=case.turn.token)
