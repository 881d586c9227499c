"""Measures GHL's delay in listing a location's messages, with known messages of a conversation that was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.ghl.message_window import SLACK_MS
from bridge.policy.guards import hears
from bridge.policy.list_lag import LONGEST_MS, ListLag, measure, merge, newest, wait_before_belief
from bridge.policy.unknown_sends import Unproven

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import InboundMessage, Listed, MessageId


def note_lag(case: Case, rows: Sequence[Listed], services: AnswerServices, *, more: bool, ahead_ms: int) -> ListLag:
    """Compare GHL's list of the case's conversation with the known messages, and record the result. Returns it, too.

    `more`: older rows are on another page. `ahead_ms`: how far GHL's clock is ahead of ours; a second or two is imprecision.
    """
    location, ahead_ms = case.turn.lane.location_id, ahead_ms if abs(ahead_ms) > SLACK_MS else 0
    ids = {id_ for row in rows for id_ in (row.id, *row.email_message_ids)}
    known, oldest_ms = _known(case, ahead_ms), 0
    if more:
        known = newest(known, of=len(rows))
        oldest_ms = min((row.date_added_ms for row in rows if row.date_added_ms), default=0)
    seen = measure(known, ids, now_ms=case.turn.now_ms(services.clock()) + ahead_ms, oldest_ms=oldest_ms)
    if seen.missing or seen.listed:
        before = services.list_lags.get(location)
        after = merge(before, seen)
        if after.missing and after != before:
            services.list_lags.put(location, after)
    return seen


def doubt(case: Case, seen: ListLag, since_ms: int, services: AnswerServices) -> Unproven | float:
    """The wait (s) until a missing message counts as absent, 0 if it does now; or the reason why it never will."""
    age_ms = case.turn.now_ms(services.clock()) - since_ms
    if seen.missing > LONGEST_MS:
        return Unproven(f"GHL's list still lacks a message of {seen.missing / 1000:.0f} s ago, so absence proves nothing")
    lag = services.list_lags.get(case.turn.lane.location_id)
    return wait_before_belief(lag, age_ms=age_ms, hears_events=hears(case.standing, unheard=case.kept.unheard))


def _known(case: Case, ahead_ms: int) -> dict[MessageId, int]:
    """Messages that are certainly in GHL, newest last: those of the transcript and of the turn, with times (ms) of GHL's clock.

    GHL dates the contact's, we our own.
    """
    said = [one for one in case.turn.said if one.at_ms and not one.id.startswith(case.turn.id)]
    times = {one.id: one.at_ms + (ahead_ms if one.role == "assistant" else 0) for one in said}
    return {**times, **{one.id: one.date_added_ms for one in case.messages if one.date_added_ms and _is_listed(one)}}


def _is_listed(message: InboundMessage) -> bool:
    """Whether GHL lists the message under this id, which is not so for a message that is only known from its webhook."""
    return not (message.provisional or message.id == message.webhook_id or message.id.startswith("sha256-"))
