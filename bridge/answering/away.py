"""The away message, sent to a contact once per closed period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.answering.guarding import guard_except_hours
from bridge.answering.posting import say
from bridge.errors import BridgeError, Fenced, OutOfResources, Retryable, Unavailable
from bridge.policy.business_hours import closed_since, hours_of

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices

log = structlog.get_logger()

AWAY_PART = "away"


def send_away(case: Case, services: AnswerServices) -> None:
    """Send `away_message` if it was not sent in this closed period yet.

    Raises Retryable if sending it may succeed later. Any other error is only logged, because the contact's message will not be
    answered now in any case.
    """
    location, lane = case.kept.location, case.turn.lane
    closed = closed_since(hours_of(location), case.now_ms(services))
    if location.outside_hours != "away" or not location.away_message or closed is None:
        return
    if not services.standings.begin_away(lane, closed, case.turn.id, token=case.turn.token):
        return
    try:
        if say(case, AWAY_PART, location.away_message, services, guard=guard_except_hours):
            services.standings.undo_away(lane, closed)
    except (Retryable, OutOfResources):
        services.standings.undo_away(lane, closed)
        raise
    except (Fenced, Unavailable):
        raise
    except BridgeError as error:
        log.warning("turn.not_done", what="away_message", lane=str(lane), turn=case.turn.id, error=str(error))
