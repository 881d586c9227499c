"""A turn: what a worker takes in hand, and how it ends."""

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
    """A decision not to answer, and why. `facts` are what the rule looked at: ids, settings and times, never text."""

    reason: Reason
    facts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A leased lane: the messages to answer, and what earlier tries of the same turn left behind.

    `token` is the lease's fence; `leased_at_ms` and `leased_at` are the same moment by Redis' clock and by this process' own
    (monotonic, s). `carried` are messages of dead letters whose texts this turn takes along, `waiting` is how many messages
    stood in the lane when it was leased, `replayed` says that an operator gave a dead letter another chance. `attempts` counts
    durable tries that failed, `unfinished` leases that ended without a word (this one included), `looks` how often GHL was read
    to settle an unknown outcome, `asks` how often a provider that may deliver was asked, `stale` how many answers were dropped
    for a newer message. `answered` are the ids that the saved `answer` is for, `parts` the texts that it was last posted as.
    `session` is what the provider called the conversation when it last answered, in this turn or an earlier one, `asked` the
    provider that was asked last, `situation` how things stood when the turn was read, `said` the newest words of the conversation
    (at most MOST_SAID), oldest first, `topped`: what GHL lists of it is on record. `asked_for` is an operator's wish (AskedFor),
    empty without one; `person` are digests of who the contact is, as far as that is kept.
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
    topped: bool = False
    asked_for: str = ""
    person: str = ""

    def now_ms(self, monotonic: float) -> int:
        """Redis' clock at the moment `monotonic` of this process."""
        return self.leased_at_ms + round((monotonic - self.leased_at) * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """The service asked for a person: the contact is left to people for `seconds` (-1: until resumed, 0: not at all)."""

    seconds: float
    provider: str
    note_characters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A turn that is over: what became of each message that leaves the lane, and the ids of the replies that were sent.

    `said` is a reply that somebody else delivered: its words are only known here. `posted` is the reply's last part, if GHL took
    it just now and nothing of that is noted yet. `answered`: the contact was told something, whatever the status. `handed_over`:
    the contact is left to people from now on.
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
    """A turn to be tried again after `wait` seconds. `counts` says whether that was one of the tries that run out.

    `status` is what its messages are until then: `waiting` if nothing went wrong. `circuits` are those of providers that are
    down: the turn is tried earlier, when one of them answers. `stale`: a newer message made the answer stale; it is dropped and
    asked for again. `in_place`: the whole location waits, and the lane keeps its place in it. `until_newer`: a message behind the
    first so many of the lane ends the wait.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A turn that will not pass by itself. `refused` is the side that refused a login (`ghl`, `provider`), else empty.

    `outcome_unknown`: its reply may be in the conversation all the same. `error` is for people: nothing is decided by its words.
    """

    error: str
    refused: str = ""
    outcome_unknown: bool = False
