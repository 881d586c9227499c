"""A handover: the service asked for a person, and staff is informed before the turn ends.

The end of the turn records the handover (`release.lua`); the message to the contact is posted like any reply (`posting`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.attempts import attempt
from bridge.answering.case import READ_SECONDS
from bridge.answering.guarding import guard_except_hours
from bridge.answering.posting import say
from bridge.locations import HandoverSettings
from bridge.model import HandedOver, Reason, Status

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Completion, Ended

NOTE_PART = "note"
NOTE_TITLE = "The AI agent asks for a person:"
# A person already has the conversation, or an operator paused it.
IN_HAND = frozenset({Reason.UNKNOWN_LOCATION, Reason.LOCATION_PAUSED, Reason.CONVERSATION_PAUSED, Reason.HUMAN_TAKEOVER})


def hand_over(case: Case, completion: Completion, ended: Ended, services: AnswerServices) -> Ended:
    """Tag and assign the contact and post the note, and return the turn's end with the handover.

    Errors of tag, assignment and note are only logged, so that they don't prevent the end.
    """
    if not completion.handover or (ended.status is Status.SKIPPED and ended.reason in IN_HAND):
        return ended
    wanted, contact = case.kept.location.handover or HandoverSettings(), case.turn.lane.contact_id
    ghl, note = services.ghl, f"{NOTE_TITLE} {completion.note}"
    if wanted.tag:
        attempt(case, "tag", lambda: ghl.tag(contact, wanted.tag, token=case.token, seconds=READ_SECONDS))
    if wanted.assign_to:
        attempt(case, "assign_to", lambda: ghl.assign(contact, wanted.assign_to, token=case.token, seconds=READ_SECONDS))
    if completion.note:
        attempt(case, "note", lambda: say(case, NOTE_PART, note, services, guard=guard_except_hours, for_staff=True))
    over = HandedOver(seconds=wanted.seconds, provider=completion.provider, note_characters=len(completion.note))
    return replace(ended, handed_over=over)
