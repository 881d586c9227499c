"""A case: one turn with its location and the messages to answer, and the guards that check it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bridge.answering.ghl_outage import TurnBreaker
from bridge.ghl.access import Need
from bridge.ghl.channels import by_settings
from bridge.model import Ended, Reason, SendState, Skip, Standing, Status
from bridge.policy import guards, transcript
from bridge.policy.business_hours import hours_of
from bridge.policy.overruling import overrule, still_holds
from bridge.policy.reactions import judge_reaction
from bridge.store.lanes.steps import ASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.access.ghl_access import GHLAccess
    from bridge.answering.services import AnswerServices
    from bridge.ghl.access import Access
    from bridge.locations import Location
    from bridge.model import Completion, Contact, InboundMessage, MessageId, PastMessage, Posted, Reading, Situation, Turn
    from bridge.store.lanes.answers import UnsavedAnswer
    from bridge.store.lanes.excerpts import SealedExcerpt
    from bridge.store.locations.records import LocationRecord

READ_SECONDS = 10.0
# After so many outdated answers the next one is sent, or a contact who writes continuously would never get a reply.
MOST_STALE = 2


@dataclass(slots=True, kw_only=True)
class Case:
    """A turn in progress.

    `messages` are the messages to answer, oldest first. `looked_up` is the contact with the time GHL returned it (ms), `listed`
    the conversation's list in GHL, both once they were read. `completion` is the answer, once there is one, and `parts` its
    posted texts. `standing` is the standing that the guards used last, of the situation `judged`; `told` is a newer situation
    that a step of the turn returned. `unsaved` is the answer until it is stored, `person` the contact's names until then.
    `posted` is the last part if it is posted but not recorded yet. `skipped` counts messages that ended separately. `looks`
    counts the read-backs of the current unknown outcome. `excerpt` is the error text of a failed provider, if no other answered.
    `asked`: a provider was asked. `readings` are the results of reading files in this attempt, by message and index of the
    attachment.
    """

    turn: Turn
    kept: LocationRecord
    ghl_access: GHLAccess
    breaker: TurnBreaker
    messages: tuple[InboundMessage, ...]
    completion: Completion | None = None
    skipped: int = 0
    looks: int = 0
    looked_up: tuple[Contact, float] | None = None
    listed: tuple[PastMessage, ...] | None = None
    standing: Standing = field(default_factory=Standing)
    judged: Situation | None = None
    told: Situation | None = None
    unsaved: UnsavedAnswer | None = None
    person: str = ""
    asked: bool = False
    parts: tuple[str, ...] = ()
    posted: Posted | None = None
    excerpt: SealedExcerpt | None = None
    readings: dict[tuple[MessageId, int], Reading] = field(default_factory=dict)

    def now_ms(self, services: AnswerServices) -> int:
        """The current time of Redis' clock (ms)."""
        return self.turn.now_ms(services.clock())

    @property
    def ids(self) -> tuple[MessageId, ...]:
        """The ids of the messages to answer."""
        return tuple(message.id for message in self.messages)

    @property
    def last(self) -> InboundMessage:
        """The newest message; the reply uses its channel and conversation."""
        return self.messages[-1]

    @property
    def token(self) -> Access:
        """The location's access to GHL. Without an answer yet, its requests have lower priority than posts."""
        return self.ghl_access.open(self.kept, Need.GUARD if self.completion else Need.LOOKUP, self.breaker)

    def ended(self, status: Status, skip: Skip | None = None, reply_ids: Sequence[MessageId] = ()) -> Ended:
        """The end of this case with one status for all its messages."""
        reason, facts = (skip.reason, skip.facts) if skip else (None, "")
        replies = tuple(reply_ids)
        return Ended(
            status=status, message_ids=self.ids, reason=reason, facts=facts, reply_message_ids=replies, posted=self.posted
        )


def open_case(turn: Turn, services: AnswerServices) -> Case | None:
    """Choose the turn's messages and end those that are not to be answered; None when none is left."""
    record = open_location(turn, turn.situation, services)
    if record:
        turn = replace(turn, messages=tuple(by_settings(message, record.location.types) for message in turn.messages))
    if record and _is_stale(turn, record.location):
        turn = replace(turn, answer=None, answered=(), stale=turn.stale + 1)
    chosen = transcript.choose(turn.messages, turn.answered)
    if record is None:
        skip = Skip(Reason.UNKNOWN_LOCATION, "the location was removed")
        services.lanes.end(turn, _skipped([message.id for message in chosen], skip))
        return None
    # With a saved answer, all messages have the same outcome, which the guards before the post decide.
    fit = chosen if turn.answer else tuple(message for message in chosen if _deserves_answer(message, turn, record, services))
    if not fit:
        services.lanes.let_go(turn)
        return None
    return Case(
        turn=turn,
        kept=record,
        ghl_access=services.ghl_access,
        breaker=TurnBreaker(turn, services.circuits, services.clock),
        messages=fit,
        skipped=len(chosen) - len(fit),
        completion=turn.answer,
        looks=turn.looks,
        told=turn.situation,
    )


def open_location(turn: Turn, situation: Situation, services: AnswerServices) -> LocationRecord | None:
    """The turn's location as it is now, without the rules that an operator overrides; None if it was removed."""
    record = services.locations.open(turn.lane.location_id, situation.location)
    return replace(record, location=overrule(record.location, turn.asked_for)) if record and turn.asked_for else record


def may_become_stale(turn: Turn) -> bool:
    """Whether a newer message may still replace this turn's answer: no part of it is in GHL, or may be."""
    return turn.stale < MOST_STALE and not turn.replayed and not tried(turn)


def tried(turn: Turn) -> bool:
    """Whether any part of this turn is in GHL, or may be."""
    return any(may_be_there(turn, part) for part in turn.ledger if part != ASK)


def may_be_there(turn: Turn, part: str) -> bool:
    """Whether a part is in GHL, or may be."""
    return part in turn.ledger and turn.ledger[part].state is not SendState.NOT_SENT


def reported_delivery(turn: Turn) -> tuple[MessageId, ...]:
    """The ids under which GHL reported the whole answer without a post by the bridge: the provider has delivered it."""
    entry = turn.ledger.get(ASK)
    return entry.message_ids if entry and entry.state is SendState.SENT else ()


def delivery(location: Location, answer: Completion) -> str:
    """Who posts this answer: `auto`, `bridge` or `provider`."""
    return location.delivery_of(answer.provider or location.provider)


def _is_stale(turn: Turn, location: Location) -> bool:
    """Whether messages joined the turn after its answer was saved."""
    if turn.answer is None or reported_delivery(turn) or _is_the_providers(turn.answer, location):
        return False
    lines = {message.line for message in turn.messages if message.id in turn.answered}
    joined = any(message.line in lines and message.id not in turn.answered for message in turn.messages)
    return joined and may_become_stale(turn)


def _is_the_providers(answer: Completion, location: Location) -> bool:
    """Whether the provider delivers the answer, or claims that it did: then it can't be taken back."""
    how = delivery(location, answer)
    return how == "provider" or (how == "auto" and answer.claims_delivery)


def judge(message: InboundMessage, turn: Turn, kept: LocationRecord, services: AnswerServices) -> Skip | None:
    """Check one message of a new case. Returns the Skip of the first rule that applies, or None."""
    age = _age(message, turn, kept, services)
    skip = _uninstalled(kept) or guards.judge_message(message, kept.location, age_seconds=age, paused=kept.paused)
    return still_holds(skip, turn.asked_for) or judge_reaction(message, turn.said)


def judge_turn(case: Case, kept: LocationRecord, services: AnswerServices) -> Skip | None:
    """Check all messages of a turn again with the current settings. Returns a Skip, or None."""
    age = _age(case.last, case.turn, kept, services)
    skip = _uninstalled(kept) or guards.judge_turn(case.messages, kept.location, age_seconds=age, paused=kept.paused)
    return still_holds(skip, case.turn.asked_for)


def _uninstalled(kept: LocationRecord) -> Skip | None:
    return Skip(Reason.LOCATION_PAUSED, "the app was uninstalled") if kept.uninstalled_at_ms else None


def _age(message: InboundMessage, turn: Turn, kept: LocationRecord, services: AnswerServices) -> float:
    """A message's age in seconds; 0 for a replay, because an operator decided on it."""
    held = (kept.held_from_ms, kept.held_until_ms)
    hours = hours_of(kept.location)
    return 0.0 if turn.replayed else guards.age_of(message, now_ms=turn.now_ms(services.clock()), held=held, hours=hours)


def _deserves_answer(message: InboundMessage, turn: Turn, kept: LocationRecord, services: AnswerServices) -> bool:
    skip = judge(message, turn, kept, services)
    if skip and skip.reason is Reason.CHANNEL_OFF and message.provisional:
        return True  # its channel must be looked up first
    if skip and skip.reason is Reason.BLANK and guards.may_have_files(message, kept.location):
        return True  # its files must be read from GHL first
    if skip:
        services.lanes.skip(turn, _skipped([message.id], skip))
    return skip is None


def _skipped(ids: Sequence[MessageId], skip: Skip) -> Ended:
    return Ended(status=Status.SKIPPED, message_ids=tuple(ids), reason=skip.reason, facts=skip.facts)
