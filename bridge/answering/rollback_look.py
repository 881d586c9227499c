"""The look into GHL after a rollback of the state, so that nothing is done twice and lost opt-outs still apply.

The state lacks newer writes after a failover to a replica that lagged, a restored copy, or a FLUSHALL (`parts/rollback.lua`
notices it). GHL has the whole conversation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bridge.answering.case import READ_SECONDS, delivery, may_be_there, tried
from bridge.answering.guarding import outbound_of
from bridge.answering.other_bot import judge_author
from bridge.answering.posting import parts_of
from bridge.answering.read_back import posted
from bridge.answering.resolving import Resolved
from bridge.ghl.channels import find_kind
from bridge.model import Again, Channel, Ended, Reason, SendState, Sent, Skip, Status
from bridge.policy import guards
from bridge.policy.normalise import same
from bridge.policy.overruling import overrule_standing
from bridge.policy.rollbacks import UNDER_WAY_MS, answered_by, forgotten_replies, looks_at
from bridge.policy.stop_words import starts, stops
from bridge.policy.sweeping import FARTHEST_MS
from bridge.store.lanes.rollback_looks import FoundInGHL, SaidInGHL
from bridge.store.lanes.steps import ASK
from bridge.times import utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Completion, Listed, Rollback

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _View:
    """GHL's list, newest first, and how far GHL's clock is ahead of Redis' (ms)."""

    rows: tuple[Listed, ...] = ()
    ahead_ms: int = 0


def look_back(case: Case, services: AnswerServices) -> Resolved | Again | Ended | None:
    """Look into GHL once, as soon as its list can be trusted. Returns None if this turn needs no look.

    Raises Retryable, Permanent and OperatorMustFix if GHL can't be read.
    """
    rollback = case.turn.rollback
    if rollback is None:
        return None
    if not tried(case.turn) and (forbidden := _forbidden(case, services)):
        return case.ended(Status.SKIPPED, forbidden)
    wait = (looks_at(rollback, services.readback) - case.now_ms(services)) / 1000
    if wait > 0:
        why = "the state went back: waiting to read in GHL what it may have lost"
        return Again(wait=wait, why=why, counts=False, looks=case.looks, status=Status.WAITING)
    view = _read(case, services)
    replies = _forgotten(case, rollback, view, services)
    _observe(case, view.rows, services)
    inbound = [row for row in view.rows if row.direction == "inbound" and row.date_added_ms > rollback.at_ms - FARTHEST_MS]
    found = FoundInGHL(
        stops=tuple(_stops(case, inbound)), starts=tuple(_starts(inbound)), forgotten=tuple(row.id for row in replies)
    )
    services.rollback_looks.note(case.turn, rollback, found)
    log.info("turn.looked_back", lane=str(case.turn.lane), turn=case.turn.id, forgotten=len(replies))
    return _conclude(case, rollback, replies, services)


def _forbidden(case: Case, services: AnswerServices) -> Skip | None:
    """Whether the state already forbids the answer by a stop, a pause or a person, so that no look is needed."""
    case.standing = case.turn.situation.standing
    standing = overrule_standing(case.standing, case.turn.asked_for)
    skip = guards.judge_standing(standing, case.last.channel, case.kept.location, now_ms=case.now_ms(services))
    return judge_author(case, skip, services) if skip else None


def _read(case: Case, services: AnswerServices) -> _View:
    """The newest page: no more messages than that come after a waiting one."""
    lane = case.turn.lane
    conversation = case.last.conversation_id
    if not conversation:
        conversation = services.ghl.find_conversation(lane.location_id, lane.contact_id, token=case.token, seconds=READ_SECONDS)
    if not conversation:
        return _View()
    page = services.ghl.page(conversation, token=case.token, seconds=READ_SECONDS)
    return _View(page.listed, page.at_ms - case.now_ms(services) if page.at_ms else 0)


def _forgotten(case: Case, rollback: Rollback, view: _View, services: AnswerServices) -> tuple[Listed, ...]:
    """Replies after the oldest of the turn's messages that the state does not know.

    None if the turn waits for a delivery by its provider: the read-back finds out whether that arrived.
    """
    if _is_settled_elsewhere(case):
        return ()
    dated = [message.date_added_ms for message in case.messages if message.date_added_ms]
    since = min(dated, default=rollback.at_ms)
    until = rollback.at_ms + UNDER_WAY_MS + view.ahead_ms
    ours = services.lanes.ours(case.turn.lane, [row.id for row in view.rows if row.direction == "outbound"])
    found = forgotten_replies(view.rows, since_ms=since, until_ms=until, ours=ours)
    # A part of unknown outcome is not forgotten: it is in the ledger, and its read-back follows.
    known = [text for number, text in enumerate(case.turn.parts) if may_be_there(case.turn, str(number))]
    return tuple(row for row in found if not any(same(row.text, text) for text in known))


def _observe(case: Case, rows: Iterable[Listed], services: AnswerServices) -> None:
    """Record who wrote, except for a possible delivery that is not resolved yet."""
    undecided = _is_settled_elsewhere(case)
    outbound = [outbound_of(case, row) for row in rows if row.direction == "outbound" and (row.user_id or not undecided)]
    services.standings.observe(case.turn.lane, outbound, token=case.turn.token)


def _is_settled_elsewhere(case: Case) -> bool:
    asked, answer = case.turn.ledger.get(ASK), case.completion
    if asked and asked.state is SendState.ASKING:
        return True
    return answer is not None and (answer.claims_delivery or delivery(case.kept.location, answer) == "provider")


def _conclude(case: Case, rollback: Rollback, replies: tuple[Listed, ...], services: AnswerServices) -> Resolved | Ended:
    """End the messages that have a reply in GHL. An operator's replay is not ended by replies to later messages."""
    if case.completion and _found_parts(case, case.completion, replies, services):
        return Resolved()
    answered = answered_by(case.messages, replies)
    if not answered or tried(case.turn) or case.turn.replayed or case.turn.asked_for:
        return Resolved()
    newest = max(replies, key=lambda row: row.date_added_ms)
    facts = f"GHL has {newest.id} of {utc(newest.date_added_ms)}, after the message; the state went back at {utc(rollback.at_ms)}"
    skip = Skip(Reason.ANSWERED_BEFORE, facts)
    if len(answered) == len(case.messages):
        return case.ended(Status.SKIPPED, skip)
    if case.completion is None:
        ids = tuple(message.id for message in answered)
        services.lanes.skip(case.turn, Ended(status=Status.SKIPPED, message_ids=ids, reason=skip.reason, facts=skip.facts))
    return Resolved()


def _found_parts(case: Case, completion: Completion, replies: Iterable[Listed], services: AnswerServices) -> bool:
    """Record the parts of a saved answer that are in GHL although the state doesn't know it. Returns whether there are any."""
    left, found = [*replies], False
    for posting in parts_of(case, completion):
        if may_be_there(case.turn, posting.part):
            continue
        row = next((one for one in left if same(_text(case, one, services), posting.text)), None)
        if row:
            left.remove(row)
            services.lanes.sent(case.turn, posted(case, posting, Sent(message_ids=(row.id,)), services, how="found in GHL"))
            found = True
    return found


def _text(case: Case, row: Listed, services: AnswerServices) -> str:
    """The text of a message; lists omit that of an e-mail."""
    return row.text or services.ghl.text(row.id, token=case.token, seconds=READ_SECONDS)


def _stops(case: Case, rows: Iterable[Listed]) -> Iterator[SaidInGHL]:
    words = case.kept.location.stop_words
    for row in rows:
        channel = _channel(row)
        if channel and stops(row.text, channel, words):
            yield SaidInGHL(row.id, channel, row.date_added_ms)


def _starts(rows: Iterable[Listed]) -> Iterator[SaidInGHL]:
    for row in rows:
        channel = _channel(row)
        if channel and starts(row.text):
            yield SaidInGHL(row.id, channel, row.date_added_ms)


def _channel(row: Listed) -> Channel | None:
    kind = find_kind(row.type, "", None)
    return kind.channel if kind else None
