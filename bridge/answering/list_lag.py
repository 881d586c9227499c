"""Measure how late GHL lists a location's messages, by what a look at a conversation shows of those that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.policy.guards import hears
from bridge.policy.list_lag import LONGEST_MS, ListLag, measure, merge, wait_before_belief
from bridge.policy.unknown_sends import Unproven

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import InboundMessage, Listed, MessageId


def note_lag(case: Case, listed: Iterable[Listed], services: AnswerServices) -> ListLag:
    """Hold what GHL lists of the case's conversation against what is known of it; answers what this look shows."""
    location, now_ms = case.turn.lane.location_id, case.turn.now_ms(services.clock())
    ids = {id_ for row in listed for id_ in (row.id, *row.email_message_ids)}
    seen = measure(_known(case), ids, now_ms=now_ms)
    if seen.missing or seen.listed:
        before = services.list_lags.get(location)
        after = merge(before, seen)
        if after.missing and after != before:
            services.list_lags.put(location, after)
    return seen


def doubt(case: Case, seen: ListLag, since_ms: int, services: AnswerServices) -> Unproven | float:
    """Whether an absence can be believed: for how long (s) it can't yet, 0 if it can, or why it never will."""
    age_ms = case.turn.now_ms(services.clock()) - since_ms
    if seen.missing > LONGEST_MS:
        return Unproven(f"GHL's list still lacks a message of {seen.missing / 1000:.0f} s ago, so absence proves nothing")
    lag = services.list_lags.get(case.turn.lane.location_id)
    return wait_before_belief(lag, age_ms=age_ms, hears_events=hears(case.standing, unheard=case.kept.unheard))


def _known(case: Case) -> dict[MessageId, int]:
    """The conversation's messages that GHL surely has, and when they were written: the turn's own, and those on record."""
    said = {one.id: one.at_ms for one in case.turn.said if one.at_ms and not one.id.startswith(case.turn.id)}
    return {**said, **{one.id: one.date_added_ms for one in case.messages if one.date_added_ms and _is_listed(one)}}


def _is_listed(message: InboundMessage) -> bool:
    """Whether GHL lists a message under this id: not one that is only known by its webhook."""
    return not (message.provisional or message.id == message.webhook_id or message.id.startswith("sha256-"))
