"""Turns, and how they end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.model.outcomes import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model.completions import Completion
    from bridge.model.contacts import PastMessage, Situation
    from bridge.model.ids import Lane, MessageId
    from bridge.model.outcomes import Reason
    from bridge.model.posts import LedgerEntry, Posted
    from bridge.model.webhooks import InboundMessage


class AskedFor(StrEnum):
    """What an operator asked a turn for: an answer although a rule skipped the message, or that its draft is sent."""

    ANSWER = "answer"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Skip:
    """A decision not to answer, with its reason. `facts` are the data that the rule used: ids, settings and times, never text."""

    reason: Reason
    facts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """The state went back at `at_ms`, or may have (Redis' clock); `certain`: writes are known to be lost."""

    at_ms: int
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A leased lane: the messages to answer, and the state of earlier attempts of the same turn.

    `token` is the lease's fencing token; `leased_at_ms` and `leased_at` are the same time by Redis' clock and by this process'
    monotonic clock (s). `carried` are messages of dead letters whose texts this turn includes, `waiting` is the number of
    messages in the lane when it was leased, `replayed` says that an operator replayed a dead letter. `attempts` counts failed
    attempts, `unfinished` leases that expired without a result (including this one), `looks` read-backs of an unknown outcome,
    `asks` requests to a provider that may deliver, `stale` answers that were dropped because of a newer message. `answered` are
    the ids of the messages that the saved `answer` is for, or that a provider was asked about whose delivery is not resolved yet;
    `parts` are the texts of the answer as they were last posted. `session` is the provider's id of the conversation from its last
    answer, in this turn or an earlier one; `asked` is the provider that was asked last; `situation` is the situation when the
    turn was read; `said` are the newest messages of the transcript (at most MOST_SAID), oldest first; `backfilled`: the
    transcript was backfilled from GHL's list. `ghl_down` is GHL's circuit that was open when the turn was read (empty: none);
    `ghl_doubted`: GHL has failed lately, so successes have to be reported. `asked_for` is an operator's request (AskedFor), empty
    without one; `person` are digests of who the contact is. `rollback`: the turn must look into GHL before it does anything else,
    because the state may have lost the record of earlier steps. `usage`: the answers that this turn has paid for
    (`policy.usage`).
    `lease_took` is how long the call for the lease took (s): `now_ms` may be ahead of Redis' clock by as much.
    """

    lane: Lane
    id: str
    token: str
    leased_at_ms: int
    leased_at: float
    messages: tuple[InboundMessage, ...]
    situation: Situation
    carried: tuple[InboundMessage, ...] = ()
    waiting: int = 0
    replayed: bool = False
    attempts: int = 0
    unfinished: int = 1
    looks: int = 0
    asks: int = 0
    stale: int = 0
    answer: Completion | None = None
    answered: tuple[MessageId, ...] = ()
    answered_at_ms: int = 0
    session: str = ""
    parts: tuple[str, ...] = ()
    asked: str = ""
    ledger: Mapping[str, LedgerEntry] = field(default_factory=dict)
    said: tuple[PastMessage, ...] = ()
    backfilled: bool = False
    asked_for: str = ""
    usage: str = ""
    person: str = ""
    ghl_down: str = ""
    ghl_doubted: bool = False
    rollback: Rollback | None = None
    lease_took: float = 0.0

    def now_ms(self, monotonic: float) -> int:
        """The time of Redis' clock (ms) at the time `monotonic` of this process."""
        return self.leased_at_ms + round((monotonic - self.leased_at) * 1000)

    def earliest_ms(self, monotonic: float) -> int:
        """The same, but never ahead of Redis' clock."""
        return self.now_ms(monotonic - self.lease_took)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """The service asked for a person: the bridge is silent for `seconds` (-1: until resumed, 0: not at all)."""

    seconds: float
    provider: str
    note_characters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of a turn: the outcome of each message that leaves the lane, and the ids of the sent replies.

    `said` is the text of a reply that the provider delivered. `posted` is the reply's last part, if GHL accepted it and it is not
    recorded yet. `answered`: the contact got a text, whatever the status. `handed_over`: the bridge is silent from now on.
    """

    status: Status
    message_ids: tuple[MessageId, ...]
    reason: Reason | None = None
    facts: str = ""
    reply_message_ids: tuple[MessageId, ...] = ()
    said: str = ""
    posted: Posted | None = None
    answered: bool = False
    handed_over: HandedOver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A turn that continues after `wait` seconds. `counts`: this was a failed attempt.

    `status` is the status of its messages until then: `waiting` if nothing failed. `circuits` are those of providers that are
    down: the turn continues earlier if one of them answers. `stale`: a newer message arrived, so the answer is dropped and
    requested again. `in_place`: the whole location waits, and the lane keeps its position. `until_newer`: another message after
    that number of the lane's messages ends the wait. `unopened`: the turn could not be read, so the lane counts as overdue.
    """

    wait: float
    why: str
    counts: bool = True
    looks: int = 0
    stale: bool = False
    in_place: bool = False
    status: Status = Status.RETRYING
    circuits: tuple[str, ...] = ()
    until_newer: int | None = None
    unopened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A turn that failed for good.

    `refused` is the service that refused a login (`ghl`, `provider`), `version` if GHL no longer accepts the API version, else
    empty. `outcome_unknown`: its reply may still be in the conversation. `error` is for people; no decision depends on its text.
    """

    error: str
    refused: str = ""
    outcome_unknown: bool = False
