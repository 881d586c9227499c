"""The patch of a turn's step, as `record.lua`, `release.lua` and `parts/applying.lua` read it.

An absent field has no effect, nor has an empty one, unless `steps.MAY_BE_EMPTY` names it. Times are Unix time in milliseconds. A
test compares these fields with those that the scripts read, both ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.model import LedgerEntry, MessageId

# A message of the transcript: its time (ms), and the message as JSON (`transcripts.transcript_entry`).
Words: TypeAlias = tuple[int, str]


class Circuit(TypedDict):
    """The circuit of a provider that is about to be called."""

    id: str
    # The time limit of the call (ms); after it, another turn may probe the provider.
    longest: int


class Newer(TypedDict):
    """What a turn has read of its lane."""

    # The number of the lane's messages.
    seen: int
    # The line (channel and conversation provider) of the turn's own messages.
    line: str


class SituationQuery(TypedDict):
    """Which parts of the state a step returns."""

    # The id of the conversation, which an operator may have paused.
    conversation: str
    # Names of a location's fields.
    fields: Sequence[str]


class Unchanged(TypedDict):
    """What the guards were checked with, long before the step."""

    # SHA-1 of the location's settings as they are stored.
    settings: str
    # The conversation's id: an operator may have used it for a pause.
    conversation: str
    # The time (ms) since which a marketplace event must have arrived, and the most replies without an event.
    heard_since: int
    unheard: int
    # The number of the contact's replies within a day.
    replies: int


class DeadLetterPatch(TypedDict):
    """A dead letter to store."""

    # The turn's id, which becomes the dead letter's.
    id: str
    # The dead letter as JSON (`steps.letter`).
    record: str


class ExcerptPatch(TypedDict):
    """A service's failed answer, or the texts on which an answer is based."""

    # The id of the record: the turn's id, or one derived from it.
    id: str
    # The name of the service.
    provider: str
    # The text, encrypted.
    sealed: str


class Held(TypedDict):
    """What is written instead of a dead letter while the location is on hold.

    The fields are those of a patch, but the events are JSON already.
    """

    messages: Mapping[MessageId, Mapping[str, str]]
    events: Sequence[str]
    excerpt: NotRequired[ExcerptPatch]


class Duplicate(Held):
    """What `resolve.lua` writes about a message that arrived before."""

    # The message's id.
    done: Sequence[MessageId]


class RateLimitReport(TypedDict, total=False):
    """The rate limit that GHL reported last for a location (`ghl.rate_limit_headers.Limits`); unreported parts are missing."""

    # The limit of requests in an interval, and how many were left.
    most: int
    left: int
    # The interval (ms).
    interval_ms: int
    # The limit of requests in a day, and how many were left.
    most_daily: int
    left_daily: int


class Permit(RateLimitReport):
    """A request to GHL that is counted against a location's rate limit; read by `parts/permits.lua`."""

    # Identifies this request.
    nonce: str
    # The share of the budget that requests of this urgency may use (%).
    part: int
    # Whether the location's lanes wait if no request is left.
    waits: bool
    # The age of GHL's report (ms).
    ago: int


class LookupsAheadPatch(TypedDict):
    """Look-ups at GHL that are reserved with a lease; read only by `lease.lua`."""

    # The permit for each of them.
    permit: Permit
    # The number of look-ups, if the conversation was never read from GHL, and if it was.
    first: int
    later: int
    # For how long they may be made (ms).
    valid: int


class Conditions(TypedDict, total=False):
    """The conditions of a step, and what else it needs; read only by `record.lua`."""

    # [ms] the least remaining time of the lease; with less, the lease counts as lost.
    least: Sequence[int]
    # Nothing is written if the lane has a newer message of the same line, or of a line that is not known yet.
    unless_newer: Newer | None
    # [n] the version of the contact's standing that was read; nothing is written if it has changed, or if the location was
    # removed or paused, or its app was uninstalled.
    revision: Sequence[int]
    # Parts (or `ask`): nothing is written if one of them is in GHL by the ledger.
    unless_there: Sequence[str]
    # A request to count with this step; nothing is written if GHL's rate limit does not allow it.
    permit: Permit | None
    # A provider that is about to be called; nothing is written if its circuit is open.
    circuit: Circuit
    # The circuit of a provider that has answered; the script closes it. Empty: none.
    passed: str
    # Return the situation afterwards, and the turn's ledger.
    look: SituationQuery
    # GHL's list of the conversation, which is stored even if the step is not. Absent: it was not read.
    listed: Sequence[Words]
    # The contact's names (`ContactNames.sealed`), stored even if the step is not. Empty: nothing new.
    person: str
    # Nothing is written if the location has other settings by now, or an operator has paused the contact.
    unchanged: Unchanged
    # An answer that was not saved yet. It is saved even if the step is not, unless another turn has the lease.
    first: Patch


class HandoverPatch(TypedDict):
    """The service asked for a person."""

    # How long the contact is left to people (ms); -1: until resumed; 0: not at all.
    lasts: int


class EndPatch(TypedDict, total=False):
    """How a turn ends; read only by `release.lua`."""

    # When the lane is due again (ms from now); -1: as soon as its location is, at its earlier position. Absent: the turn ends.
    wait_ms: int
    # Circuits of providers that are down: the lane is woken as soon as one of them answers.
    circuits: Sequence[str]
    # [n] a message after the first n of the lane ends the wait.
    until_newer: Sequence[int]
    # Whether this counts as a failed attempt.
    failed: bool
    # Whether the turn can't be decrypted or read: it counts as overdue while that lasts.
    unopened: bool
    # The dead letter that the turn becomes.
    dead: DeadLetterPatch
    # The side that refused a login (`ghl` or `provider`): several in a row put the location on hold. `version`: GHL refuses the
    # API version, which puts it on hold at once.
    refused: str
    # Written instead of everything else here if `refused` is set and the location is on hold now.
    held: Held
    # Ids of messages of earlier dead letters whose texts this turn answered.
    carried: Sequence[MessageId]
    # Whether a reply of this turn reached the contact: it counts towards the limit of replies a day.
    replied: bool
    # The service asked for a person. None: it did not.
    handover: HandoverPatch | None


class Patch(Conditions, EndPatch, total=False):
    """What a step writes; read by `parts/applying.lua`."""

    # Fields of messages' records by message id, such as `status` and `reason`.
    messages: Mapping[MessageId, Mapping[str, str]]
    # Fields of the lane's record; `turns.read_turn` lists those that are read again. `release.lua` reads `attempts`.
    lane: Mapping[str, int | str]
    # Ids of messages that end: they leave the lane, are counted, and expire.
    done: Sequence[MessageId]
    # Entries of the turn's ledger by part (or `ask`); `steps.document` makes them JSON.
    ledger: Mapping[str, LedgerEntry]
    # By part (or `ask`): [digest of the text by which a post is recognised, when it began (ms; absent: now)].
    posting: Mapping[str, Sequence[str | int]]
    # Ids of the bridge's own messages.
    own: Sequence[MessageId]
    # Messages to add to the transcript.
    said: Sequence[Words]
    # Sides (`ghl`, `provider`) that accepted a login: earlier refusals don't count any more.
    welcomed: Sequence[str]
    # Whether the provider claims that it delivers by itself; None: it was not called, or its claim doesn't count.
    claimed: bool | None
    # Whether such a claim was true; None: there was none, or no outcome.
    seen: bool | None
    # The timeline's event for a sent part, as JSON; left out if GHL reported the part before.
    sent: str
    # The channel of that part, to count it once. Empty: a draft.
    taken: str
    # The delivery state in GHL's answer to a post: `id`, `delivery`, `status`, `channel`, as in `observe.lua`. None: none.
    delivery: Mapping[str, str] | None
    # A service's failed answer; it replaces an earlier one of the turn. None: no text.
    excerpt: ExcerptPatch | None
    # [channel, since when (ms)] that the contact opted out of.
    stop: Sequence[str | int]
    # Whether a voice note contained the opt-out: operators get an alert, because transcription may be wrong.
    spoken: bool
    # Events for the timeline; `steps.document` makes them JSON.
    events: Sequence[Mapping[str, Any]]
    # The turn's id, and a nonce that identifies this write if it is sent twice. `steps.document` adds both.
    turn: str
    nonce: str
