"""What a step of a turn carries to Lua, as `record.lua`, `release.lua` and `parts/applying.lua` read it, and what they answer.

A field that is absent, or empty unless `steps.MAY_BE_EMPTY` names it, asks for nothing. Times are Unix time in milliseconds. A
test compares these fields with those that the scripts read, both ways.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.model import LedgerEntry, MessageId

# When something was said (ms), and what: a message of the conversation as JSON (`said.said`).
Words: TypeAlias = tuple[int, str]


class StepResult(IntEnum):
    """What `record.lua` answers first; `parts/results.lua` has the same names. Unless it is `WRITTEN`, nothing was written."""

    # The lease was lost, or does not last for as long as the step wants.
    LOST = 0
    WRITTEN = 1
    # A message of the same line has come since.
    NEWER = 2
    # The contact's standing has changed since it was looked at.
    CHANGED = 3
    # A part is in GHL already.
    THERE = 4
    # The provider's circuit is open.
    SHUT = 5
    # GHL's budget has no room.
    NO_ROOM = 6


class ReleaseResult(IntEnum):
    """What `release.lua` answers; `parts/results.lua` has the same names."""

    LOST = 0
    WRITTEN = 1
    # The location is on hold, and the turn waits for the end of that.
    HELD = 2


class Circuit(TypedDict):
    """The circuit of a provider that is about to be asked."""

    id: str
    # For how long the provider may take (ms): then another turn may probe it.
    longest: int


class Newer(TypedDict):
    """What a turn has seen of its lane."""

    # How many of the lane's messages.
    seen: int
    # By which line (channel and conversation provider) the turn's own messages came.
    line: str


class SituationQuery(TypedDict):
    """Which parts of the state a step returns."""

    # The conversation's id: an operator may have paused it by that.
    conversation: str
    # Names of a location's fields.
    fields: Sequence[str]


class DeadLetterPatch(TypedDict):
    """A dead letter to keep."""

    # The turn's id, which becomes the dead letter's.
    id: str
    # The dead letter as JSON (`steps.letter`).
    record: str


class ExcerptPatch(TypedDict):
    """What a service said when it failed, or the words that its answer rests on."""

    # The turn's id, or one made of it, under which it is kept.
    id: str
    # Who said it.
    provider: str
    # What it said, sealed.
    sealed: str


class Held(TypedDict):
    """What is written in a dead letter's stead while the location is on hold.

    These are `messages`, `events` and `excerpt` of a patch, the events as JSON already.
    """

    messages: Mapping[MessageId, Mapping[str, str]]
    events: Sequence[str]
    excerpt: NotRequired[ExcerptPatch]


class Duplicate(Held):
    """What `resolve.lua` writes of a message that came before."""

    # The message's id.
    done: Sequence[MessageId]


class Told(TypedDict, total=False):
    """What GHL told last of a location's budget (`ghl.rate_limit_headers.Limits`), as far as it did."""

    # Requests that an interval allows, and what was left of them.
    most: int
    left: int
    # The interval (ms).
    interval_ms: int
    # Requests that a day allows, and what was left of them.
    most_daily: int
    left_daily: int


class Permit(Told):
    """A request to GHL that is paid from a location's budget; read by `parts/rate_limit.lua`."""

    # Tells this request from others.
    nonce: str
    # The part of the budget that it may use up (%).
    part: int
    # Whether the location's lanes wait while there is no room.
    waits: bool
    # How long ago GHL told what is told here (ms).
    ago: int


class LookupsAheadPatch(TypedDict):
    """Look-ups at GHL that are paid for along with a lease; read by `lease.lua` alone."""

    # For all of them.
    permit: Permit
    # How many, if the conversation was never read from GHL, and if it was.
    first: int
    later: int
    # How long they may be made (ms).
    valid: int


class Conditions(TypedDict, total=False):
    """What a step depends on, and what it asks beside: read by `record.lua` alone."""

    # [ms] for how long the lease must still last; else the lease counts as lost.
    least: Sequence[int]
    # Nothing is written if a message of the same line, or of one that isn't known yet, stands behind those that were seen.
    unless_newer: Newer | None
    # [n] the number of the contact's standing that was looked at; nothing is written if it is another one by now, or if the
    # location is removed or paused, or its app taken away.
    revision: Sequence[int]
    # Parts (or `ask`): nothing is written if the ledger says of one of them that it is in GHL.
    unless_there: Sequence[str]
    # A request that is paid for with this step; nothing is written if the budget has no room.
    permit: Permit | None
    # A provider that is about to be asked; nothing is written if its circuit is open.
    circuit: Circuit
    # The circuit of a provider that has answered: it is closed. Empty: none.
    passed: str
    # Answer how things stand afterwards, and the turn's ledger.
    look: SituationQuery
    # What GHL lists of the conversation, which goes on record whatever becomes of the step. Absent: it was not read.
    listed: Sequence[Words]


class HandoverPatch(TypedDict):
    """The service asked for a person."""

    # For how long the contact is left to people (ms); -1: until resumed; 0: not at all.
    lasts: int


class EndPatch(TypedDict, total=False):
    """How a turn ends: read by `release.lua` alone."""

    # When the lane is due again (ms from now); -1: as soon as its location is, at its old place. Absent: the turn is over.
    wait_ms: int
    # Circuits of providers that are down: the lane is woken as soon as one of them answers.
    circuits: Sequence[str]
    # [n] a message behind the lane's first so many ends the wait.
    until_newer: Sequence[int]
    # Whether this try is used up.
    failed: bool
    # Whether the turn could not be opened: it is overdue for as long as that lasts.
    unopened: bool
    # What the turn becomes, if it will not pass by itself.
    dead: DeadLetterPatch
    # The side that refused a login (`ghl` or `provider`): so many of them in a row put the location on hold. `version`:
    # GHL does not take the API version, which puts it on hold at once.
    refused: str
    # Written in place of everything else here if `refused` and the location is on hold by now.
    held: Held
    # Ids of messages of former dead letters whose texts the turn took along: they are dealt with.
    carried: Sequence[MessageId]
    # Whether the contact has heard of us by this turn: that counts in its cap.
    replied: bool
    # The service asked for a person. None: it did not.
    handover: HandoverPatch | None


class Patch(Conditions, EndPatch, total=False):
    """What a step writes: read by `parts/applying.lua`, beside what it inherits."""

    # Fields of messages' records by message id, such as `status` and `reason`.
    messages: Mapping[MessageId, Mapping[str, str]]
    # Fields of the lane's record; those that are read back are listed in `turns.read_turn`. `release.lua` reads `attempts`.
    lane: Mapping[str, int | str]
    # Ids of messages that are over: they leave the lane, are counted, and expire.
    done: Sequence[MessageId]
    # Entries of the turn's ledger by part (or `ask`); JSON once it is a document.
    ledger: Mapping[str, LedgerEntry]
    # By part (or `ask`): [digest of the words by which a post is known, when it began (ms; absent: now)].
    posting: Mapping[str, Sequence[str | int]]
    # Ids that are our own from now on.
    own: Sequence[MessageId]
    # Words to put on record.
    said: Sequence[Words]
    # Sides (`ghl`, `provider`) that have taken a login: what they refused before doesn't count any more.
    welcomed: Sequence[str]
    # Whether the provider claims that it delivers by itself; None: it was not asked, or its word doesn't count.
    claimed: bool | None
    # Whether such a claim turned out true; None: there was none, or no outcome.
    seen: bool | None
    # The timeline's event that a part was sent, as JSON: it isn't told if its echo was before.
    sent: str
    # By which channel that part left: counted unless it was before. Empty: a draft.
    taken: str
    # What GHL said at once of a part that was sent: `id`, `delivery`, `status`, `channel`, as in `observe.lua`. None: nothing.
    delivery: Mapping[str, str] | None
    # What a service said when it failed; it takes the place of an earlier one of the turn. None: it said nothing.
    excerpt: ExcerptPatch | None
    # [channel, since when (ms)] that the contact has stopped.
    stop: Sequence[str | int]
    # Whether a voice note said that stop: an operator is told, since engines mishear.
    spoken: bool
    # Events for the timeline; JSON once they are a document.
    events: Sequence[Mapping[str, Any]]
    # The turn's id, and what tells this writing from others, should it be sent twice. `steps.document` adds both.
    turn: str
    nonce: str
