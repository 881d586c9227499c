"""Dead-lettering a turn: tag the contact for staff, send one failure message, write the dead letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.attempts import attempt
from bridge.answering.case import READ_SECONDS
from bridge.answering.posting import say
from bridge.model import SendState

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Dead

FAILURE_PART = "failure"


def write_dead_letter(case: Case, dead: Dead, services: AnswerServices) -> bool:
    """Add the tag, send the failure message, and write the dead letter. Returns False if the turn waits on hold instead.

    Errors of the tag and the message are only logged, so that they don't prevent the dead letter.
    """
    location = case.kept.location
    may_act = dead.refused not in {"ghl", "version"} and not (dead.refused and _on_hold(case, services))
    if location.dead_letter_tag and may_act:
        attempt(case, "tag", lambda: _tag(case, location.dead_letter_tag, services))
    if location.failure_message and may_act and not _outcome_unknown(case, dead) and FAILURE_PART not in case.turn.ledger:
        attempt(case, "failure_message", lambda: say(case, FAILURE_PART, location.failure_message, services))
    parts = case.parts or case.turn.parts
    answer, at_ms, excerpt = case.completion, case.now_ms(services), case.excerpt
    return services.lanes.write_dead_letter(case.turn, case.ids, dead, answer=answer, parts=parts, at_ms=at_ms, excerpt=excerpt)


def _on_hold(case: Case, services: AnswerServices) -> bool:
    """Whether the turn will wait on hold: then neither the tag nor the message applies."""
    record = services.locations.get(case.turn.lane.location_id)
    return record is not None and record.hold_since_ms > 0


def _outcome_unknown(case: Case, dead: Dead) -> bool:
    """Whether the reply may be in GHL: then a failure message would be a second answer."""
    unsettled = any(entry.state in {SendState.ASKING, SendState.SENDING} for entry in case.turn.ledger.values())
    return unsettled or dead.outcome_unknown


def _tag(case: Case, tag: str, services: AnswerServices) -> None:
    services.ghl.tag(case.turn.lane.contact_id, tag, token=case.token, seconds=READ_SECONDS)
