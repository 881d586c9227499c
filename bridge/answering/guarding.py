"""The guards with their I/O: checked before the completion, and again immediately before each post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.case import READ_SECONDS, judge_turn, open_location
from bridge.answering.list_lag import note_lag
from bridge.answering.other_bot import judge_author
from bridge.ghl.channels import find_kind
from bridge.model import OutboundMessage, Reason, Skip
from bridge.policy import guards, loops
from bridge.policy.business_hours import judge_hours
from bridge.policy.messaging_window import judge_window
from bridge.policy.overruling import overrule_standing

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Again, Contact, Listed, Situation

LOOKUP_COUNTS_SECONDS = 15.0
# A situation that a step of the turn returned counts as current, but only for the next step within this time.
TOLD_COUNTS_SECONDS = 1.0
# For steps that follow immediately.
AT_ONCE_SECONDS = 1.0


def guard(case: Case, services: AnswerServices) -> Skip | Again | None:
    """Check all guards that need more than the message. Returns a Skip or None. Raises Retryable if GHL can't be read."""
    case.standing = _look(case, services).standing
    return (
        _judge_contact_and_channel(case, services)
        or _judge_loop(case, services)
        or judge_hours(case.kept.location, case.now_ms(services))
    )


def guard_again(case: Case, services: AnswerServices) -> Skip | Again | None:
    """Check all guards again with current settings and contact data. Raises Retryable if GHL can't be read."""
    return guard_except_hours(case, services) or judge_hours(case.kept.location, case.now_ms(services))


def guard_except_hours(case: Case, services: AnswerServices) -> Skip | None:
    """Check all guards except business hours. Raises Retryable if GHL can't be read."""
    situation = _look(case, services)
    record = open_location(case.turn, situation, services)
    if record is None:
        return Skip(Reason.UNKNOWN_LOCATION, "the location was removed")
    case.kept, case.standing = record, situation.standing
    return judge_turn(case, record, services) or _judge_contact_and_channel(case, services)


def needs_nothing(case: Case, services: AnswerServices) -> bool:
    """Whether the guards before a post need no request to GHL, with what they used last."""
    judged, looked_up = case.judged, case.looked_up
    if judged is None or judged.conversation_id != case.last.conversation_id:
        return False
    if not guards.hears(case.standing, unheard=case.kept.unheard):
        return False
    is_young = looked_up is not None and services.clock() - looked_up[1] <= LOOKUP_COUNTS_SECONDS - AT_ONCE_SECONDS
    return is_young or not guards.needs_contact(case.kept.location)


def _look(case: Case, services: AnswerServices) -> Situation:
    """The current situation: the one that a step returned (used once), or a new one from Redis.

    With an answer that is not saved yet, it is the last one: the step that saves the answer checks whether it still holds.
    """
    if case.unsaved and case.judged:
        return case.judged
    situation, case.told = case.told, None
    conversation = case.last.conversation_id
    if situation and situation.conversation_id == conversation and services.clock() - situation.read_at <= TOLD_COUNTS_SECONDS:
        case.judged = situation
    else:
        case.judged = services.situations.read(case.turn.lane, conversation)
    return case.judged


def _must_list(case: Case) -> bool:
    """Whether no events report this location's outbound messages, so that GHL's list is read."""
    known = case.last.conversation_id and case.kept.location.takeover_seconds != 0
    return bool(known) and not guards.hears(case.standing, unheard=case.kept.unheard)


def _judge_contact_and_channel(case: Case, services: AnswerServices) -> Skip | None:
    window = judge_window(case.last, now_ms=case.now_ms(services))
    return window or _judge_conversation(case, services) or _judge_contact(case, services)


def _judge_conversation(case: Case, services: AnswerServices) -> Skip | None:
    lane, location, conversation = case.turn.lane, case.kept.location, case.last.conversation_id
    if _must_list(case):
        page = services.ghl.page(conversation, token=case.token, seconds=READ_SECONDS)
        ahead_ms = page.at_ms - case.now_ms(services) if page.at_ms else 0
        note_lag(case, page.listed, services, more=bool(page.next_after), ahead_ms=ahead_ms)
        outbound = [outbound_of(case, row) for row in page.listed if row.direction == "outbound"]
        if services.standings.observe(lane, outbound, token=case.turn.token):
            case.standing = services.situations.read(lane, conversation).standing
    standing = overrule_standing(case.standing, case.turn.asked_for)
    skip = guards.judge_standing(standing, case.last.channel, location, now_ms=case.now_ms(services))
    return judge_author(case, skip, services)


def outbound_of(case: Case, row: Listed) -> OutboundMessage:
    """A row of GHL's list as an outbound message of the case's conversation."""
    return OutboundMessage(
        id=row.id,
        location_id=case.turn.lane.location_id,
        contact_id=case.turn.lane.contact_id,
        conversation_id=case.last.conversation_id,
        type=row.type,
        text=row.text,
        date_added_ms=row.date_added_ms,
        user_id=row.user_id,
        source=row.source,
        status=row.status,
        channel=kind.channel if (kind := find_kind(row.type, "", None)) else "",
        call_seconds=row.call_seconds,
    )


def _judge_contact(case: Case, services: AnswerServices) -> Skip | None:
    location = case.kept.location
    looked_up, at = _look_up(case, services) if guards.needs_contact(location) else (None, -1)
    contact = guards.merge(looked_up, at, case.standing, case.turn.lane.contact_id)
    return guards.judge_contact(contact, case.last.channel, location)


def _look_up(case: Case, services: AnswerServices) -> tuple[Contact, int]:
    """The contact, with a time (ms) by Redis' clock at which GHL had not returned it yet: an event since then is newer."""
    now = services.clock()
    if case.looked_up is None or now - case.looked_up[1] > LOOKUP_COUNTS_SECONDS:
        case.looked_up = services.ghl.contact(case.turn.lane.contact_id, token=case.token, seconds=READ_SECONDS), now
        if services.people and not case.completion:
            # The record of the question to the provider stores it.
            case.person = services.people.sealed(case.turn.lane, case.looked_up[0], known=case.turn.person)
    return case.looked_up[0], case.turn.earliest_ms(case.looked_up[1])


def _judge_loop(case: Case, services: AnswerServices) -> Skip | None:
    if case.turn.replayed:
        return None
    messages = [one for one in case.turn.said if one.content and one.id not in case.ids]
    return loops.judge_loop(case.messages, messages, now_ms=case.now_ms(services))
