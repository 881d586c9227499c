"""A handover: the service asked for a person, and staff is told before the turn ends.

The turn's end notes that the contact is left to people from then on (`release.lua`); what the contact is told goes out as any
reply does (`posting`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.attempts import attempt
from bridge.answering.case import READ_SECONDS
from bridge.answering.guarding import may_write
from bridge.answering.posting import say
from bridge.locations import HandoverSettings
from bridge.model import HandedOver, Reason, Status

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Completion, Ended

NOTE_PART = "note"
NOTE_TITLE = "The AI agent asks for a person:"
# Somebody has the conversation, or wants nothing done in it.
IN_HAND = frozenset({Reason.UNKNOWN_LOCATION, Reason.LOCATION_PAUSED, Reason.CONVERSATION_PAUSED, Reason.HUMAN_TAKEOVER})


def hand_over(case: Case, completion: Completion, ended: Ended, services: AnswerServices) -> Ended:
    """Do what the location wants done when a person is asked for, and let the end say so.

    Neither the tag, the assignment nor the note is worth losing the end over: their faults are logged.
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
        attempt(case, "note", lambda: say(case, NOTE_PART, note, services, guard=may_write, for_staff=True))
    over = HandedOver(seconds=wanted.seconds, provider=completion.provider, note_characters=len(completion.note))
    return replace(ended, handed_over=over)
